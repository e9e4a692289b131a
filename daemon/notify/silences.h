/* All silences, and what a change of one means. The loop's. A change is planned from what is committed, its rows are
 * written, and in the commit's callback it is applied: until then nothing is different. One change at a time.
 *
 * As in Alertmanager: one that is posted with the id of another updates it, if the matchers are the same and it has not
 * yet begun or keeps its beginning; else the other is expired, and the new one has an id of its own. */
#ifndef TOCSIN_NOTIFY_SILENCES_H
#define TOCSIN_NOTIFY_SILENCES_H

#include "notify/silence.h"

enum {
    SILENCES_MAX = 10000, /* expired ones that are still kept among them */
    SILENCES_KEEP_H = 120 /* how long an expired one is shown */
};

typedef struct Silences Silences;

Silences *silences_new(void);
Silences *silences_free(Silences *all); /* NULL is fine; returns NULL */
OWN_DEFINE(Silences, silences)

/* What is to be written and, then, applied. The first is what was posted or expired: its id is the answer. */
typedef struct SilenceChange {
    Silence *puts[2];
    size_t count;
} SilenceChange;
void silence_change_deinit(SilenceChange *change); /* one that is not applied */

/* False: ERROR_INPUT, its id is none's (silences_find() tells that beforehand); ERROR_LOCAL, there are SILENCES_MAX
 * already. */
bool silences_plan_post(
    const Silences *all, const Silence *posted, int64_t now_ms, SilenceChange *ret_change, Error *err);
/* It ends now; one that is pending never begins. False: ERROR_INPUT, there is none, or it has expired. */
bool silences_plan_expire(const Silences *all, const char *id, int64_t now_ms, SilenceChange *ret_change, Error *err);
void silences_apply(Silences *all, SilenceChange *take_change); /* empties it */
/* At start: one as it was stored. One of the same id is replaced. */
void silences_add(Silences *all, Silence *take_silence);

size_t silences_count(const Silences *all);
const Silence *silences_at(const Silences *all, size_t index); /* oldest first; borrowed until a change */
const Silence *silences_find(const Silences *all, const char *id); /* NULL: there is none */
/* The ids of active ones that match, at most `room`, oldest first; returns how many. Borrowed until a change. An
 * expression that passed a limit does not match and adds to *add_limits (may be NULL). */
size_t silences_mute(
    const Silences *all, const Labels *labels, int64_t now_ms, const char **ret_ids, size_t room, unsigned *add_limits);
/* The next time behind `now_ms` at which one begins or ends; INT64_MAX: none. */
int64_t silences_next_ms(const Silences *all, int64_t now_ms);
/* The clock was set back from `before_ms` to `now_ms`: what was active stays so, until the end that people gave it. The
 * one that was changed, to be written; NULL: none is left. */
const Silence *silences_keep_active(Silences *all, int64_t before_ms, int64_t now_ms);
/* One that has been expired for SILENCES_KEEP_H, to be deleted and forgotten; NULL: there is none. */
const Silence *silences_stale(const Silences *all, int64_t now_ms);
void silences_forget(Silences *all, const char *id);

#endif
