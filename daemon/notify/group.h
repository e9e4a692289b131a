/* One group of alerts inside the table of groups: who is told, by which labels, what was told, who belongs to it. The
 * inside of groups.c, turn.c and reroute.c; nobody else includes it. Loop thread. */
#ifndef TOCSIN_NOTIFY_GROUP_H
#define TOCSIN_NOTIFY_GROUP_H

#include "notify/due.h"
#include "notify/groups.h"

#include "base/buffer.h"
#include "base/table.h"

typedef struct Group Group;

/* An instance in a group: it fires there, or its receiver was told so and not yet of its end. */
typedef struct Member {
    char fingerprint[FINGERPRINT_TEXT];
    Group *group;
    bool is_told, told_no_data, told_flapping; /* what the receiver knows: that it fires, without data, and flaps */
    int64_t told_starts_ms, told_news, told_at_ms; /* told_at_ms: when it was first told that it fires since then */
    bool was_held; /* a silence held it, and since then nothing was told of it: what the receiver knows is old */
    bool is_held_anew; /* that began while a turn of its group runs, which does not know */
    bool is_leaving; /* routed elsewhere by now: its end is still told here, repeats are not */
    bool is_open; /* while a rerouting runs: its instance is among those that are open */
    uint32_t named_by; /* the receiver's keepers (rest.h), as one number, that know it by name; 0: none */
    struct Member *prev, *next; /* the same fingerprint in other groups */
    UT_hash_handle hh;
} Member;

struct Group {
    DueItem due; /* first: a heap's item is its group's address. due_ms 0: nothing to do */
    char *key, *receiver, *labels_json;
    int64_t touches, last_sent_ms;
    int64_t first_flush_ms; /* set by group_spoke() alone; 0: its first turn is still to come */
    bool is_busy; /* a turn is on its way */
    int64_t first_coming_ms; /* while it is: what first_flush_ms will be; 0: none */
    bool is_asked; /* meanwhile something changed that the turn does not know of: it looks at its next beat */
    bool is_changed; /* while a rerouting runs: the file must hear of it */
    bool is_counted; /* a keeper was told of some that fire by their number alone */
    Member *members;
    UT_hash_handle hh;
};

/* All groups' members of one fingerprint. */
typedef struct Known {
    char fingerprint[FINGERPRINT_TEXT];
    Member *members;
    UT_hash_handle hh;
} Known;

struct Groups {
    Group *table;
    Known *known;
    DueHeap due;
    size_t unspoken; /* groups whose first turn is still to come: each owes a message beside itself */
    int64_t shifted_ms; /* the sum of what groups_shift() said: times made before a jump are taken over after it */
    Metrics *metrics;
    bool is_coarse; /* too much is owed: new groups are by receiver only */
};

Group *group_find(const Groups *groups, const char *key);
Group *group_make(Groups *groups, const char *key, const char *receiver, const char *labels_json);
void group_remove(Groups *groups, Group *group);
Labels *group_labels(const Group *group); /* read anew: a storm's groups must be small; caller frees */
void group_spoke(Groups *groups, Group *group, int64_t first_flush_ms); /* 0: it has not */
void group_set_due(Groups *groups, Group *group, int64_t due_ms); /* 0: none; a busy one is queued when its turn ends */
void group_hasten(Groups *groups, Group *group, int64_t due_ms); /* it is due then at the latest */
/* It looks at its next beat at the latest. The first turn of a group that has not spoken is still to come, and looks;
 * an escalation's may be far off, or waits for this. */
void group_look(Groups *groups, const GroupWorld *world, Group *group);

Member *member_find(const Group *group, const char *fingerprint);
Member *member_make(Groups *groups, Group *group, const char *fingerprint); /* or the one that is there */
void member_remove(Groups *groups, Member *member);
Member *members_of(const Groups *groups, const char *fingerprint); /* the first; NULL: none */

/* The told map as the state file keeps it: fingerprint -> {status, starts_at, data}, and `counted`. Caller frees. */
char *group_told_format(const Group *group);
/* The same, member by member: those that the receiver was not told of are left out. */
Buffer told_begin(bool is_counted);
void told_add(Buffer *told, const Member *member);
char *told_end(Buffer *told); /* caller frees */
/* What cannot be read counts as never told: a second message is better than none (I8). */
void group_told_parse(Groups *groups, Group *group, const char *told_json);

/* The touches of the groups to which these labels lead, known or not; as groups_touches(). */
size_t touches_routed(
    Groups *groups, const GroupWorld *world, const Labels *labels, Arena *arena, GroupTouch **ret_touches);

/* Where those alerts go that this group tells now for the first time, once nobody acknowledges them; as
 * groups_touches(). */
size_t touches_escalated(
    Groups *groups, const GroupWorld *world, const Group *group, Arena *arena, GroupTouch **ret_touches);
/* The alert's member where the base of this escalation tells it; NULL: it is not told there. */
const Member *member_of_base(const Groups *groups, const Route *escalation, const char *fingerprint);

/* The newest beat at or before `at_ms`, the oldest at or after it, of beats every `interval_ms` through `first_ms`. */
int64_t beat_before(int64_t first_ms, int64_t interval_ms, int64_t at_ms);
int64_t beat_after(int64_t first_ms, int64_t interval_ms, int64_t at_ms);
/* The beat at which a group that has spoken repeats itself, by the times of this route. */
int64_t group_repeat_ms(const Group *group, const Route *route);

#endif
