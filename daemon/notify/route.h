/* The `route` section: to which receiver an alert goes, by which labels it is grouped, and when a group speaks. Read
 * and checked with the configuration; immutable, lives in the snapshot. Alertmanager's words and defaults. */
#ifndef TOCSIN_NOTIFY_ROUTE_H
#define TOCSIN_NOTIFY_ROUTE_H

#include "base/labels.h"
#include "config/snapshot.h"

enum {
    ROUTE_LONGEST_S = 366 * 86400, /* of each of the three durations */
    ROUTE_LABELS_MAX = 64 /* names in group_by */
};

typedef struct Route {
    const char *receiver; /* NULL where the section is absent or wrong */
    Place receiver_at; /* of the value, for the check that the receiver exists */
    TextList group_by; /* without `...` */
    bool by_every_label; /* group_by: ['...'] */
    int64_t group_wait_s, group_interval_s, repeat_interval_s;
} Route;

typedef struct RouteSection {
    Route root;
    bool is_given; /* false: there is no route, Tocsin only watches; the durations are the defaults all the same */
    Place at; /* of the section's first key; the start of the file where it is absent */
} RouteSection;

extern const SectionDescriptor route_section;
extern const SchemaRow route_rows[];

/* Where an alert with these labels goes; NULL where there is no route. Pure. */
const Route *route_resolve(const RouteSection *routes, const Labels *labels);
/* The labels that name the group of an alert; those that it lacks are left out. Caller frees. Pure. */
Labels *route_group_labels(const Route *route, const Labels *labels);

#endif
