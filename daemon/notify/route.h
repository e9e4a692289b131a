/* The `route` section: to which receivers an alert goes, by which labels it is grouped, and when a group speaks. A
 * tree, read and checked with the configuration (route_section.c); immutable, lives in the snapshot. Alertmanager's
 * words, defaults and rules. Source: Alertmanager documentation, "Configuration", section "route". */
#ifndef TOCSIN_NOTIFY_ROUTE_H
#define TOCSIN_NOTIFY_ROUTE_H

#include "base/labels.h"
#include "config/snapshot.h"
#include "notify/interval.h"
#include "rules/matcher.h"

enum {
    ROUTE_LONGEST_S = 366 * 86400, /* of each of the three durations */
    ROUTE_LABELS_MAX = 64, /* names in group_by */
    ROUTE_INTERVALS_MAX = 100, /* names in mute_time_intervals, and in active_time_intervals */
    ROUTES_MAX = 1000, /* in the whole tree */
    ROUTE_ID_MAX = 16384, /* bytes */
    ESCALATIONS_MAX = 10 /* of one route */
};

typedef struct Route Route;
struct Route {
    const char
        *id; /* `{}` is the root, `{}/{severity="info"}` a child: Alertmanager's route key; NULL counts as `{}` */
    const char *receiver; /* NULL where the section is absent or wrong */
    Place receiver_at; /* of the value, for the check that the receiver exists; its parent's where it has none */
    bool names_receiver; /* false: its receiver is its parent's */
    TextList group_by; /* without `...` */
    bool by_every_label; /* group_by: ['...'] */
    int64_t group_wait_s, group_interval_s, repeat_interval_s;
    Matchers *matchers; /* NULL: it takes everything */
    bool goes_on; /* continue: the next sibling is asked, too */
    const Interval *const *mute, *const *active; /* of the snapshot */
    size_t mute_count, active_count;
    const Route *child, *sibling; /* the first below it; the next beside it */
    const Route *next; /* all of the tree in file order, from the root on, and their escalations */
    /* An escalation is a route of its own, which only those alerts enter that its base has told so long ago: same
     * groups, same times, another receiver. Its id is its base's and `/!900s`. */
    const Route *escalation; /* the first of this route's; linked by `sibling` */
    const Route *base; /* NULL: it is no escalation */
    int64_t after_s;
};

typedef struct RouteSection {
    Route root;
    size_t count; /* of the whole tree; 0 where it is absent */
    bool is_given; /* false: there is no route, Tocsin only watches; the durations are the defaults all the same */
    Place at; /* of the section's first key; the start of the file where it is absent */
} RouteSection;

/* `time_intervals` must be decoded before it. */
extern const SectionDescriptor route_section;
extern const SchemaRow route_rows[]; /* of a route, for the manual */

/* Where an alert with these labels goes, in file order: the deepest routes that match; behind one of them the next
 * sibling is asked where it says `continue`. `into` has room for route_room(); returns how many, 0 where there is no
 * route. Pure, as all here. */
size_t route_match(const RouteSection *routes, const Labels *labels, const Route **into);
size_t route_room(const RouteSection *routes);
/* The labels that name the group of an alert; those that it lacks are left out. Caller frees. */
Labels *route_group_labels(const Route *route, const Labels *labels);
/* `oncall/{}/{severity="info"}:{alertname="x", region="y"}`: Alertmanager's groupKey behind the receiver's name. In the
 * arena; cut to a bound, so that groups which differ only behind it are one. */
const char *route_group_key(const Route *route, const char *receiver, const Labels *group_labels, Arena *arena);
/* The route by whose times a group of this key speaks: the one that made it, or the root where that is no more. */
const Route *route_of_key(const RouteSection *routes, const char *receiver, const char *key);
/* Did this route make a group of this key for its receiver? */
bool route_makes_key(const Route *route, const char *receiver, const char *key);
/* The interval that makes a route silent at this second: one of `mute` that holds, or where there are some in `active`
 * and none of them holds, the first of those. NULL: it speaks. */
const Interval *route_muted_by(const Route *route, int64_t now_s);

#endif
