/* Groups: which alerts are told together, to whom, and when. They mirror the state file's rows: a transition makes
 * touches (commit 1), a due group takes its turn and what it says is committed with what it has told (commit 2); memory
 * follows in the commit's callback, in the order of the commits. Alertmanager's rules (alarm-semantics 7.3). Loop
 * thread.
 *
 *   transition  groups_touches() -> commit -> groups_apply_touch()
 *   due         groups_due() -> turn_begin() (turn.h) -> render -> commit -> turn_end()
 *   reload      groups_reroute() (reroute.h) -> commit; at the start after groups_restore(), too */
#ifndef TOCSIN_NOTIFY_GROUPS_H
#define TOCSIN_NOTIFY_GROUPS_H

#include "alarms/instance.h"
#include "base/arena.h"
#include "base/metrics.h"
#include "notify/route.h"
#include "store/rows.h"

/* Groups, the messages that those of them owe that have not spoken, and waiting notifications; from there on new groups
 * are by receiver only. */
enum { GROUPS_OWED_MAX = 100000 };

typedef struct Groups Groups;
Groups *groups_new(Metrics *metrics); /* metrics may be NULL; caller frees */
Groups *groups_free(Groups *groups);
OWN_DEFINE(Groups, groups)

/* What a routing needs to know of the world. */
typedef struct GroupWorld {
    const RouteSection *routes;
    const char *const *receivers; /* the names of all that are configured */
    size_t receiver_count;
    size_t owed; /* outbox rows that wait or are on their way, and touches that are */
    int64_t now_ms; /* wall */
    bool is_once; /* nothing waits for a group's time */
} GroupWorld;

/* The groups that must hear of a transition of this instance: those that its labels lead to, and each that has told
 * of it. TocsinDeliveryFailing, where it would go to the receiver of which it speaks, goes to all others too.
 * `*ret_touches` is an array in `arena`, as are its texts; they must outlive the commit and groups_apply_touch().
 * Changes nothing. */
size_t groups_touches(Groups *groups, const GroupWorld *world, const char *fingerprint, const Labels *labels,
    Arena *arena, GroupTouch **ret_touches);
/* After the commit, once for each. */
void groups_apply_touch(Groups *groups, const GroupTouch *touch, const char *fingerprint);

/* What an alert's groups should do has changed: touches by which they look at their next beat; as groups_touches(). */
size_t groups_look(
    Groups *groups, const GroupWorld *world, const char *fingerprint, Arena *arena, GroupTouch **ret_touches);
/* A silence that holds this instance began at `from_ms`, and ends or ended at `until_ms`: those of its groups that have
 * not spoken since look at their next beat behind that and, when it is over by then, tell again what still fires. */
void groups_hold(Groups *groups, const GroupWorld *world, const char *fingerprint, int64_t from_ms, int64_t until_ms);

/* A row of the state file, at the start; times are clamped to what can be. One that makes no sense is left out. */
void groups_restore(Groups *groups, const GroupRow *row, int64_t now_ms);

/* What a group knows of an alert, and when it looks again. */
typedef struct GroupView {
    const char *key, *receiver; /* borrowed for the call */
    int64_t due_ms; /* 0: its turn runs */
    int64_t last_sent_ms; /* 0: never */
    bool is_told, is_leaving;
} GroupView;
typedef void GroupSeen(void *ctx, const GroupView *view);
void groups_each_of(const Groups *groups, const char *fingerprint, GroupSeen *seen, void *ctx);

int64_t groups_next_due_ms(const Groups *groups); /* INT64_MAX: nothing waits. Groups whose turn runs do not count */
const char *groups_due(const Groups *groups, int64_t now_ms); /* the key of one that is due; NULL: none. Borrowed */
const char *groups_receiver(const Groups *groups, const char *key); /* who is told; NULL: no such group. Borrowed */
size_t groups_count(const Groups *groups);
bool groups_are_idle(const Groups *groups, int64_t now_ms); /* none is due and no turn runs */

/* Does a group still have something to say about this instance? While it does, the instance must keep what people know
 * of it: firing_since_ms, resolved_ms, facts. */
bool groups_know(const Groups *groups, const char *fingerprint);

/* The wall clock jumped: what waits for a time waits as long as before. */
void groups_shift(Groups *groups, int64_t by_ms);

#endif
