/* What an alarm on events watches: an `events` key, or a rule of a Sigma rule file. Immutable once the configuration is
 * loaded, in the snapshot. For the source itself and for the engine, which counts what it matches. */
#ifndef TOCSIN_SOURCES_EVENT_SELECTOR_H
#define TOCSIN_SOURCES_EVENT_SELECTOR_H

#include "rules/sigma_set.h"
#include "sources/source.h"

extern const Source cloudtrail_source; /* an alarm with this source has an EventSelector */

enum { EVENT_GROUP_BY_MAX = 16, EVENT_KEY_MAX = 16, EVENT_TIMESPAN_MAX_S = 90 * 86400 };

/* One rule whose matches count. A plain rule has one part, itself; a correlation one for each rule that it is made of:
 * EventMatch.part is the place in this list. It stays the same from load to load while the correlation does, other than
 * the numbers of rules. */
typedef struct EventPart {
    uint32_t rule; /* its number in the set; matched event by event, no correlation */
    const char *const *group_fields; /* group_count of them: where this rule's events hold the group's values */
} EventPart;

typedef struct EventFirstSeen {
    TextList key; /* count 0: not asked for */
    int64_t learn_s, forget_s;
} EventFirstSeen;

typedef struct EventCountKeys {
    int64_t bound[COUNT_WORDS];
    bool given[COUNT_WORDS];
} EventCountKeys;

typedef struct EventSelector {
    /* as written */
    const Node *detection, *first_seen_node;
    TextList group_by;
    int64_t timespan_s; /* never 0 once decoded */
    EventCountKeys count_keys;
    /* made of it */
    uint32_t number; /* in the set */
    const SigmaSet *set; /* the snapshot's one; NULL until it is finished, with all alarms */
    const SigmaRule *rule;
    const SigmaCorrelation *correlation; /* NULL: a plain rule */
    CountCondition count; /* of matches within timespan; a correlation's condition, where there is one */
    EventFirstSeen first_seen;
    size_t group_count;
    const char *const *group_names; /* the labels' names */
    size_t part_count;
    const EventPart *parts;
} EventSelector;

/* The console's page of one event. Caller frees. */
char *cloudtrail_event_url(const char *region, const char *event_id);

#endif
