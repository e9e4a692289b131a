#include "sources/cloudtrail.h"

#include "base/alloc.h"
#include "sources/sigma_section.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400, FIELD_MAX = 512, COUNT_MAX = 1000000 };

#define AT(member) offsetof(EventSelector, member)
#define COUNT_ROW(word, at, words) \
    { \
        .key = word, .type = SCHEMA_INTEGER, .offset = offsetof(EventSelector, count_keys.bound[at]), \
        .set_offset = offsetof(EventSelector, count_keys.given[at]), .max = COUNT_MAX, \
        .remedy = "a whole number from 0 to 1000000", .doc = words \
    }
static const SchemaRow count_rows[] = {
    COUNT_ROW("gt", COUNT_GT, "More than this."),
    COUNT_ROW("gte", COUNT_GTE, "This many or more."),
    COUNT_ROW("lt", COUNT_LT, "Fewer than this."),
    COUNT_ROW("lte", COUNT_LTE, "This many or fewer."),
    COUNT_ROW("eq", COUNT_EQ, "Exactly this many."),
    SCHEMA_END,
};

static const SchemaRow first_seen_rows[] = {
    {.key = "key",
        .type = SCHEMA_TEXTS,
        .offset = offsetof(EventFirstSeen, key),
        .required = true,
        .min = 1,
        .max = EVENT_KEY_MAX,
        .remedy = "at most 16 fields of the event, such as userIdentity.arn",
        .doc = "The fields whose values together must be new."},
    {.key = "learn",
        .type = SCHEMA_DURATION,
        .offset = offsetof(EventFirstSeen, learn_s),
        .min = 0,
        .max = 365 * DAY_S,
        .fallback = "14d",
        .remedy = "a duration up to 365d",
        .doc = "How long keys are only learnt after the alarm was first polled."},
    {.key = "forget",
        .type = SCHEMA_DURATION,
        .offset = offsetof(EventFirstSeen, forget_s),
        .min = 60,
        .max = 3650 * (double)DAY_S,
        .fallback = "90d",
        .remedy = "a duration from 1m to 3650d",
        .doc = "After how long without an event a key counts as never seen."},
    SCHEMA_END,
};

static bool fields_ok(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    const TextList *list = value;
    bool fine = true;
    (void)node;
    for (size_t i = 0; i < list->count; i++)
        if (!*list->texts[i] || strlen(list->texts[i]) > FIELD_MAX)
            fine =
                problem_add(in->problems, list->places[i], row->remedy, "`%.80s` is no field's name", list->texts[i]);
    return fine;
}

const SchemaRow event_rows[] = {
    {.key = "detection",
        .type = SCHEMA_NODE,
        .offset = AT(detection),
        .required = true,
        .remedy = "such as {selection: {eventName: StopLogging}, condition: selection}",
        .doc =
            "A Sigma detection: named maps of fields and values, and a condition over their names. A list in a field's "
            "path means any of its elements; fields take Sigma's modifiers, as in eventName|startswith."},
    {.key = "group-by",
        .type = SCHEMA_TEXTS,
        .offset = AT(group_by),
        .min = 1,
        .max = EVENT_GROUP_BY_MAX,
        .check = fields_ok,
        .remedy = "at most 16 fields of the event, such as sourceIPAddress",
        .doc = "Counts for each value of these fields by itself: an instance each, with the values as labels."},
    {.key = "timespan",
        .type = SCHEMA_DURATION,
        .offset = AT(timespan_s),
        .min = 1,
        .max = EVENT_TIMESPAN_MAX_S,
        .remedy = "a duration from 1s to 90d",
        .doc = "The window of the count, and how long a match holds the alarm. Without it: timespan of sigma."},
    {.key = "count",
        .type = SCHEMA_SECTION,
        .rows = count_rows,
        .doc =
            "How many events within timespan it takes. Without it: one. With {lt: 1} it is their absence that alarms."},
    {.key = "first_seen",
        .type = SCHEMA_NODE,
        .offset = AT(first_seen_node),
        .doc = "Only events count whose key was never seen before: key, a list of fields; learn, how long to learn "
               "before the first alarm (default 14d); forget, when a key is new again (default 90d)."},
    SCHEMA_END,
};

static CountCondition count_of(const EventCountKeys *keys) {
    CountCondition count = {0};
    bool any = false;
    for (size_t i = 0; i < COUNT_WORDS; i++) {
        count.given[i] = keys->given[i];
        count.bound[i] = keys->bound[i];
        any = any || keys->given[i];
    }
    if (!any) count.given[COUNT_GTE] = true, count.bound[COUNT_GTE] = 1;
    return count;
}

/* Can no count at all meet it, or each one? Either is a mistake. */
static bool count_ok(const EventSelector *selector, const Node *node, Decoding *in) {
    bool meets_some = false, meets_all = true;
    for (size_t i = 0; i < COUNT_WORDS; i++)
        for (int64_t near = -1; near <= 1; near++) {
            const int64_t tried = selector->count.given[i] ? selector->count.bound[i] + near : 0;
            if (tried < 0) continue;
            meets_some = meets_some || count_meets(&selector->count, tried);
            meets_all = meets_all && count_meets(&selector->count, tried);
        }
    if (meets_some && !meets_all) return true;
    const Node *count = node_get(node, "count");
    return problem_add(in->problems, count ? count->at : node->at, "such as {gte: 3}, or {lt: 1} for absence",
        meets_some ? "`count` holds for any number of events" : "`count` holds for no number of events");
}

static bool first_seen_decode(EventSelector *selector, Decoding *in) {
    const Node *node = selector->first_seen_node;
    if (!node) return true;
    if (node->kind != NODE_MAP)
        return problem_add(in->problems, node->at, "such as {key: [userIdentity.arn]}",
            "`first_seen` must be a section with keys of its own");
    if (!schema_read(
            first_seen_rows, node, node->count ? node->entries[0].key->at : node->at, &selector->first_seen, in) ||
        !fields_ok(&first_seen_rows[0], &selector->first_seen.key, node, in))
        return false;
    if (count_is_absence(&selector->count))
        return problem_add(in->problems, node->at, "remove `first_seen`, or count with `gte`",
            "`first_seen` has no meaning where absence alarms");
    return true;
}

/* The set comes when all alarms are read: then the selector must be found again. */
static void remember(SigmaSection *sigma, EventSelector *selector) {
    if (sigma->inside_count == sigma->inside_room) {
        sigma->inside_room = sigma->inside_room ? 2 * sigma->inside_room : 16;
        sigma->inside = alloc_again(sigma->inside, sigma->inside_room, sizeof(EventSelector *));
    }
    sigma->inside[sigma->inside_count++] = selector;
}

bool event_selector_decode(Decoding *in, const Node *node, void *selector_, ThresholdRule *rule, bool missing_given,
    int64_t *settle_s, int64_t *every_s) {
    EventSelector *selector = selector_;
    SigmaSection *sigma = snapshot_section_mutable(in->snapshot, &sigma_section);
    (void)rule, (void)missing_given, (void)settle_s, (void)every_s;
    if (!selector->timespan_s) selector->timespan_s = sigma->timespan_s;
    selector->count = count_of(&selector->count_keys);
    bool fine = count_ok(selector, node, in);
    fine = first_seen_decode(selector, in) && fine;
    if (selector->detection->kind != NODE_MAP)
        return problem_add(in->problems, selector->detection->at,
            "such as {selection: {eventName: StopLogging}, condition: selection}", "`detection` must be a map");
    if (!sigma_builder_detection(
            sigma->builder, in->subject ? in->subject : "", selector->detection, &selector->number))
        return false;
    remember(sigma, selector); /* with other problems, too: its rule is in the set */
    return fine;
}
