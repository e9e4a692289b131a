/* Tocsin's own alarms (contract 3): conditions of the daemon that go the way of every other alarm. Each part says what
 * is so, as often as it likes; a transition comes of it only when it differs from what stands. Loop thread. */
#ifndef TOCSIN_ENGINE_OWN_H
#define TOCSIN_ENGINE_OWN_H

#include "base/own.h"
#include "engine/batch.h"

enum { OWN_LISTED_MS = 3600000, OWN_ENTRIES = 10000 };

typedef struct OwnKind {
    const char *name;
    Severity severity;
    const char *description;
} OwnKind;

extern const OwnKind own_source_failing, own_delivery_failing, own_reload_failed, own_state_full, own_state_lost,
    own_clock_skew, own_instance_overflow, own_feed_quiet;

typedef struct Own Own;
Own *own_new(Core *core, Backlog *backlog); /* caller frees */
Own *own_free(Own *own);
OWN_DEFINE(Own, own)

/* The condition holds (`reason` says why) or not. `series` names which: account, region, api ...; borrowed, NULL: none.
 * A condition that never held and does not now leaves no trace. */
void own_set(Own *own, const OwnKind *kind, const Labels *series, bool holds, const char *reason);
/* The same with a severity of its own. */
void own_set_severity(
    Own *own, const OwnKind *kind, Severity severity, const Labels *series, bool holds, const char *reason);
/* Clears every alarm of this kind whose series `keep` refuses: what it speaks of is not configured any more. */
void own_clear_others(
    Own *own, const OwnKind *kind, bool (*keep)(void *ctx, const Labels *series), void *ctx, const char *reason);
/* Forgets what has been OK and told for an hour. */
void own_expire(Own *own);

#endif
