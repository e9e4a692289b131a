/* The instances of alarms whose polls find their series: services of a graph, insights ... Which there are, which a
 * poll did not see, when one is gone, and the row that stands where there is none. Loop thread. */
#ifndef TOCSIN_ENGINE_SERIES_H
#define TOCSIN_ENGINE_SERIES_H

#include "alarms/discovery_section.h"
#include "engine/own.h"

typedef struct Series Series;

/* `watches` and `alarms` run parallel and are borrowed, as the rest. Attaches every instance that a poll had found to
 * its alarm, and makes a row for each alarm that has none. */
Series *series_new(Core *core, Backlog *backlog, Own *own, const DiscoverySection *limits, const Watch *watches,
    const Alarm *const *alarms, size_t count);
Series *series_free(Series *series);
OWN_DEFINE(Series, series)

bool series_is_found(const Series *all, size_t watch); /* its polls find its series */
/* The instance of a series that a poll of this watch has seen, attached to its alarm; `absent_s` is the observation's.
 * NULL: it is gone, which series_close() tells, or the alarm has as many as discovery.max_instances allows, which
 * TocsinInstanceOverflow tells. */
Instance *series_seen(Series *all, size_t watch, const Labels *series, int64_t absent_s, int64_t now_ms);
void series_each(const Series *all, size_t watch, KnownSeries *each, void *ctx);
/* The same, the instances themselves; one that is removed meanwhile is passed over. */
void series_each_instance(Series *all, size_t watch, void (*each)(void *ctx, Instance *instance), void *ctx);
/* A poll has read everything: what it did not see has missing data where the windows' end is known (`settled_end_s`,
 * 0: not), and is gone after discovery.grace. */
void series_close(Series *all, size_t watch, int64_t settled_end_s, int64_t now_ms, Batch *batch);
/* A poll could not read everything: what it did not see is unknown. */
void series_blind(Series *all, size_t watch, const char *error);

#endif
