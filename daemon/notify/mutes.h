/* What holds back what would be told, beyond a route's own times: silences, other firing alerts that inhibit it, and
 * (suppress_callers) those on a service that it calls. Follows what fires, alert by alert. Loop thread; owned by the
 * engine. */
#ifndef TOCSIN_NOTIFY_MUTES_H
#define TOCSIN_NOTIFY_MUTES_H

#include "alarms/instance.h"
#include "notify/inhibit_section.h"
#include "notify/silences.h"
#include "sources/xray_graph.h"

typedef struct Mutes Mutes;
Mutes *mutes_new(void); /* no rules, no silences, nothing fires; caller frees */
Mutes *mutes_free(Mutes *mutes);
OWN_DEFINE(Mutes, mutes)

#define MUTES_CALLERS_MS INT64_C(900000) /* callers are held so long, from when the callee began to fire */

/* The newest graph of a place; NULL: none yet. Borrowed until the loop goes on. */
typedef const ServiceGraph *MutesGraph(void *ctx, const char *account, const char *region, const char *group);
void mutes_set_graph(Mutes *mutes, MutesGraph *find, void *ctx);

/* At a start and after a reload: the rules, which outlive the next call, and all instances that may fire. */
void mutes_follow_rules(
    Mutes *mutes, const InhibitSection *rules, const Instance *const *instances, size_t instance_count);
/* An instance changed, or is no more. */
void mutes_follow(Mutes *mutes, const Instance *instance);
void mutes_forget(Mutes *mutes, const char *fingerprint);

Silences *mutes_silences(const Mutes *mutes); /* whoever changes them owns no more than the change */

/* Is an alert with these labels held back? */
bool mutes_hold(const Mutes *mutes, const Labels *labels, int64_t now_ms);
/* The fingerprints of alerts that inhibit it, by a rule or as its callee, at most `room`; borrowed until anything
 * changes. */
size_t mutes_inhibitors(
    const Mutes *mutes, const Labels *labels, int64_t now_ms, const char **ret_fingerprints, size_t room);

#endif
