#include "alarms/alarm_keys.h"

#include "alarms/composite_alarm.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { HOUR_S = 3600, DAY_S = 86400, ALARM_NAME_MAX = 255 };

/* Where a key's value stands; the section's first key where it is absent. */
static Place place_of(const Node *alarm, const char *key) {
    const Node *value = node_get(alarm, key);
    if (value) return value->at;
    return alarm->count ? alarm->entries[0].key->at : alarm->at;
}

static bool missing_key(const Node *alarm, const char *key, const char *remedy, Decoding *in) {
    return problem_add(in->problems, place_of(alarm, ""), remedy, "`%s` is missing", key);
}

/* The source whose key the alarm has. NULL: none of today's, which was told. */
static const Source *source_of(const Node *alarm, Decoding *in) {
    const Source *found = NULL;
    for (size_t i = 0; sources[i]; i++) {
        const NodeEntry *entry = node_entry(alarm, sources[i]->alarm_key);
        if (entry && found)
            problem_add(in->problems, entry->key->at, "one alarm watches one thing", "`%s` stands beside `%s`",
                sources[i]->alarm_key, found->alarm_key);
        else if (entry)
            found = sources[i];
    }
    const NodeEntry *composite = node_entry(alarm, "composite");
    if (composite && found)
        problem_add(in->problems, composite->key->at, "one alarm watches one thing", "`composite` stands beside `%s`",
            found->alarm_key);
    if (!found && !composite)
        problem_add(in->problems, place_of(alarm, ""),
            "add `metric`, `metrics`, `service_graph`, `traces`, `insights`, `events` or `composite`",
            "the alarm does not say what it watches");
    return found;
}

/* Keys of what is judged, on an alarm whose source says the state itself. */
static const char *const judging_keys[] = {"comparison_operator", "threshold", "ok_threshold", "evaluation_periods",
    "datapoints_to_alarm", "treat_missing_data", "evaluation_range", "evaluate_low_sample_count_percentiles", "settle",
    "early", NULL};
/* Keys of what lasts, on an alarm whose source says itself how long. */
static const char *const lasting_keys[] = {"for", "keep_firing_for", NULL};
/* Keys of what is polled, which a composite is not. */
static const char *const polling_keys[] = {"accounts", "regions", "every", "insufficient_data", NULL};

static bool keys_absent(const char *const *keys, const char *watched, const Node *node, Decoding *in) {
    bool fine = true;
    for (; *keys; keys++) {
        const NodeEntry *entry = node_entry(node, *keys);
        if (entry)
            fine =
                problem_add(in->problems, entry->key->at, "remove it", "`%s` has no meaning for `%s`", *keys, watched);
    }
    return fine;
}

static bool threshold_ok(const AlarmKeys *keys, const Node *node, Decoding *in) {
    bool fine = true;
    if (!node_get(node, "comparison_operator"))
        fine = missing_key(node, "comparison_operator", "such as GreaterThanThreshold", in);
    if (!keys->threshold_given) fine = missing_key(node, "threshold", "a number, in the metric's own unit", in);
    if (!node_get(node, "evaluation_periods"))
        fine = missing_key(node, "evaluation_periods", "how many datapoints decide", in);
    if (keys->n > 0 && keys->m > keys->n)
        fine = problem_add(in->problems, place_of(node, "datapoints_to_alarm"), "at most evaluation_periods",
            "`datapoints_to_alarm` is more than `evaluation_periods`");
    if (keys->n > 0 && keys->range > 0 && keys->range < keys->n)
        fine = problem_add(in->problems, place_of(node, "evaluation_range"), "at least evaluation_periods",
            "`evaluation_range` is less than `evaluation_periods`");
    return fine;
}

/* On the other side of threshold an alarm would clear while it breaches, and trip again at once. */
static bool ok_threshold_ok(const AlarmKeys *keys, const Node *node, Decoding *in) {
    const bool above = keys->comparison == COMPARE_GT || keys->comparison == COMPARE_GE;
    if (!keys->ok_threshold_given || !keys->threshold_given || keys->comparison == COMPARISON_NONE) return true;
    if (above ? keys->ok_threshold <= keys->threshold : keys->ok_threshold >= keys->threshold) return true;
    return problem_add(in->problems, place_of(node, "ok_threshold"),
        above ? "at most threshold, as the alarm fires above it" : "at least threshold, as the alarm fires below it",
        "`ok_threshold` lies on the breaching side of `threshold`");
}

static ThresholdRule rule_of(const AlarmKeys *keys) {
    return (ThresholdRule){
        .comparison = (Comparison)keys->comparison,
        .threshold = keys->threshold,
        .has_ok_threshold = keys->ok_threshold_given,
        .ok_threshold = keys->ok_threshold,
        .n = (size_t)keys->n,
        .m = (size_t)(keys->m > 0 ? keys->m : keys->n),
        .range = (size_t)keys->range,
        .missing = (MissingData)keys->missing,
        .ignore_low_samples = keys->low_samples == LOW_SAMPLES_IGNORE,
        .early = keys->early,
    };
}

/* CloudWatch's own bounds on how long an alarm looks back. */
static bool reach_ok(const Alarm *alarm, Decoding *in) {
    const ThresholdRule *rule = &alarm->rule;
    const int64_t reach_s = (int64_t)rule->n * rule->period_s, most_s = rule->period_s < HOUR_S ? DAY_S : 7 * DAY_S;
    if (reach_s > most_s)
        return problem_add(in->problems, place_of(alarm->node, "evaluation_periods"),
            "at most 1d in all, 7d where the period is an hour or more",
            "`evaluation_periods` times the period is too long");
    if ((int64_t)rule->range * rule->period_s < alarm->settle_s)
        problem_warn(in->problems, place_of(alarm->node, "settle"), "a larger evaluation_range, or a smaller settle",
            "what the alarm looks at is shorter than `settle`: late datapoints never count");
    if (rule->ignore_low_samples && rule->percentile_e10 == 0)
        problem_warn(in->problems, place_of(alarm->node, "evaluate_low_sample_count_percentiles"), "remove it",
            "`evaluate_low_sample_count_percentiles` has no effect: the statistic is no percentile");
    return true;
}

/* --- where: accounts and regions --- */

static bool lists(const TextList *list, const char *text) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->texts[i], text) == 0) return true;
    return false;
}

static bool watches_account(const Alarm *alarm, const AwsAccount *account) {
    return alarm->accounts.count == 0 || lists(&alarm->accounts, account->name);
}

static bool accounts_ok(const Alarm *alarm, const AwsSection *aws, Decoding *in) {
    bool fine = true;
    for (size_t i = 0; i < alarm->accounts.count; i++) {
        if (aws_section_account(aws, alarm->accounts.texts[i])) continue;
        fine = problem_add(in->problems, alarm->accounts.places[i], "a name from aws.accounts",
            "there is no account `%.80s`", alarm->accounts.texts[i]);
    }
    return fine;
}

static bool regions_ok(const Alarm *alarm, const AwsSection *aws, Decoding *in) {
    bool fine = true;
    for (size_t i = 0; i < alarm->regions.count; i++) {
        bool found = false;
        for (size_t k = 0; k < aws->account_count && !found; k++)
            found =
                watches_account(alarm, &aws->accounts[k]) && lists(&aws->accounts[k].regions, alarm->regions.texts[i]);
        if (!found)
            fine = problem_add(in->problems, alarm->regions.places[i], "a region of aws.region or of aws.accounts",
                "none of the alarm's accounts has the region `%.80s`", alarm->regions.texts[i]);
    }
    return fine;
}

/* --- the section --- */

static HoldRule hold_of(const AlarmKeys *keys, Decoding *in) {
    HoldRule hold = {.pending = {keys->for_s, keys->keep_firing_s}};
    if (!keys->flap || !schema_read(flap_rows, keys->flap, keys->flap->at, &hold.flap, in)) return hold;
    if (hold.flap.low_percent > hold.flap.high_percent)
        problem_add(in->problems, place_of(keys->flap, "low"), "at most high", "`low` is more than `high`");
    return hold;
}

static bool alarm_fill(Alarm *alarm, const AlarmKeys *keys, Decoding *in) {
    alarm->name = keys->name;
    alarm->description = keys->description ? keys->description : "";
    alarm->enabled = keys->enabled;
    alarm->severity = keys->severity;
    alarm->labels = keys->labels;
    alarm->annotations = keys->annotations;
    alarm->accounts = keys->accounts;
    alarm->regions = keys->regions;
    alarm->no_data = keys->no_data;
    alarm->suppress_callers = keys->suppress_callers;
    alarm->every_s = keys->every_s;
    alarm->settle_s = keys->settle_s;
    alarm->rule = rule_of(keys);
    alarm->hold = hold_of(keys, in);
    const AwsSection *aws = snapshot_section(in->snapshot, &aws_section);
    return accounts_ok(alarm, aws, in) && regions_ok(alarm, aws, in);
}

static bool alarm_composite(Alarm *alarm, const Node *node, Decoding *in) {
    CompositeAlarm *composite = arena_alloc(in->arena, 1, sizeof *composite);
    keys_absent(judging_keys, "composite", node, in);
    keys_absent(polling_keys, "composite", node, in);
    alarm->composite = composite;
    return composite_alarm_decode(node, composite, in);
}

/* What is watched, by the source's own rows: a section, or a list of them. */
static bool selector_read(const Alarm *alarm, void *selector, Decoding *in) {
    const Source *source = alarm->source;
    const Node *node = node_get(alarm->node, source->alarm_key);
    const Place at = place_of(alarm->node, source->alarm_key);
    if (!source->item_size) return schema_read(source->selector_rows, node, at, selector, in);
    const SchemaRow list = {.key = source->alarm_key,
        .type = SCHEMA_SECTIONS,
        .min = 1,
        .max = (double)source->items_max,
        .rows = source->selector_rows,
        .size = source->item_size,
        .remedy = "a list of metrics and expressions, each with an `id`"};
    return schema_read_value(&list, node, selector, in);
}

/* Everything that can be told about one alarm is told, even when something else is wrong with it. */
static bool alarm_decode(const Node *node, Alarm *alarm, WrittenShapes *shapes, Decoding *in) {
    const size_t errors = problems_errors(in->problems);
    AlarmKeys keys = {.comparison = COMPARISON_NONE};
    alarm->node = node;
    alarm->written = written_keep(in->arena, shapes, node);
    alarm->at = node->at;
    schema_read(alarm_rows, node, node->at, &keys, in);
    alarm_fill(alarm, &keys, in);
    alarm->source = source_of(node, in);
    if (!alarm->source && keys.composite) return alarm_composite(alarm, node, in);
    if (keys.suppressor)
        problem_add(in->problems, node_entry(node, "suppressor")->key->at, "remove it, or use inhibit_rules",
            "only a composite has a `suppressor`");
    if (!alarm->source) return false;
    if (alarm->source->has_no_threshold) {
        keys_absent(judging_keys, alarm->source->alarm_key, node, in);
        keys_absent(lasting_keys, alarm->source->alarm_key, node, in);
    } else {
        threshold_ok(&keys, node, in);
        ok_threshold_ok(&keys, node, in);
    }
    if (keys.suppress_callers && strcmp(alarm->source->alarm_key, "service_graph") != 0)
        problem_add(in->problems, place_of(node, "suppress_callers"), "remove it",
            "`suppress_callers` has no meaning for `%s`", alarm->source->alarm_key);
    const Node *selector_node = node_get(node, alarm->source->alarm_key);
    void *selector = arena_alloc(in->arena, 1, alarm->source->selector_size);
    alarm->selector = selector;
    const bool selected = selector_read(alarm, selector, in);
    if (!selected || problems_errors(in->problems) != errors) return false;
    in->subject = alarm->name;
    return alarm->source->selector_decode(
               in, selector_node, selector, &alarm->rule, keys.missing_given, &alarm->settle_s, &alarm->every_s) &&
        reach_ok(alarm, in);
}

static int by_name(const void *left, const void *right) {
    const Alarm *a = *(const Alarm *const *)left, *b = *(const Alarm *const *)right;
    const int order = strcmp(a->name, b->name);
    return order ? order : (a > b) - (a < b); /* the second of two is the one that was written later */
}

static bool names_ok(const AlarmsSection *section, Decoding *in) {
    bool fine = true;
    for (size_t i = 1; i < section->count; i++) {
        const Alarm *first = section->by_name[i - 1], *second = section->by_name[i];
        if (!*second->name || strcmp(first->name, second->name) != 0) continue;
        fine = problem_add(in->problems, second->node ? place_of(second->node, "name") : second->at,
            "names are unique in all files", "the alarm `%.80s` exists already, at %s:%u", second->name, first->at.file,
            first->at.line);
    }
    return fine;
}

/* --- alarms that a source brings along --- */

static int severity_of(const char *word) {
    int severity = SEVERITY_CRITICAL;
    while (severity < SEVERITY_INFO && strcmp(word, severity_word((Severity)severity)) != 0) severity++;
    return severity;
}

static bool given_name_ok(const SourceAlarm *given, Decoding *in) {
    if (*given->name && utf8_count(given->name, strlen(given->name)) <= ALARM_NAME_MAX && !has_control(given->name))
        return true;
    return problem_add(in->problems, given->at, "1 to 255 characters, no control characters",
        "the title `%.80s` cannot be an alarm's name", given->name);
}

static void take_given(AlarmsSection *section, Alarm *alarms, const Source *source, const SourceAlarm *given) {
    alarms[section->count++] = (Alarm){
        .name = given->name,
        .description = given->description ? given->description : "",
        .enabled = true,
        .severity = severity_of(given->severity),
        .annotations = given->annotations,
        .source = source,
        .selector = given->selector,
        .at = given->at,
    };
}

/* Appends what the sources bring along to the `count` alarms that are written. */
static Alarm *add_given(AlarmsSection *section, Alarm *written, Decoding *in) {
    for (size_t i = 0; sources[i]; i++) {
        const SourceAlarm *given = NULL;
        const size_t count = sources[i]->alarms ? sources[i]->alarms(in, &given) : 0;
        if (!count) continue;
        Alarm *all = arena_alloc(in->arena, section->count + count, sizeof *all);
        if (section->count) memcpy(all, written, section->count * sizeof *all);
        written = all;
        for (size_t k = 0; k < count; k++) {
            given_name_ok(&given[k], in);
            take_given(section, written, sources[i], &given[k]);
        }
    }
    return written;
}

/* --- all of them --- */

static Alarm *read_written(AlarmsSection *section, const Node *node, Decoding *in) {
    if (node_is_null(node)) return NULL;
    if (node->kind != NODE_LIST) {
        problem_add(in->problems, node->at, "begin each alarm with `- name:`", "`alarms` must be a list");
        return NULL;
    }
    WrittenShapes shapes = {0};
    Alarm *alarms = arena_alloc(in->arena, node->count, sizeof *alarms);
    for (size_t i = 0; i < node->count; i++) {
        const Node *item = node->items[i];
        if (item->kind == NODE_MAP)
            alarm_decode(item, &alarms[section->count], &shapes, in);
        else
            problem_add(in->problems, item->at, "begin it with `name:`", "an alarm must be a section with keys");
        if (item->kind != NODE_MAP) continue;
        if (!alarms[section->count].name) alarms[section->count].name = ""; /* told; nobody looks for it */
        section->count++;
    }
    in->subject = NULL;
    return alarms;
}

static bool alarms_decode(Decoding *in, const Node *node, void *section_) {
    AlarmsSection *section = section_;
    const size_t errors = problems_errors(in->problems);
    Alarm *alarms = read_written(section, node, in);
    alarms = add_given(section, alarms, in);
    const Alarm **sorted = arena_alloc(in->arena, section->count, sizeof *sorted);
    for (size_t i = 0; i < section->count; i++) sorted[i] = &alarms[i];
    section->alarms = alarms;
    section->by_name = sorted;
    qsort(sorted, section->count, sizeof *sorted, by_name);
    names_ok(section, in);
    composite_alarms_check(section, in);
    for (size_t i = 0; i < section->count; i++) alarms[i].node = NULL; /* nothing behind the load may look at it */
    return problems_errors(in->problems) == errors;
}

static void alarms_destroy(void *section_) {
    AlarmsSection *section = section_;
    for (size_t i = 0; i < section->count; i++)
        if (section->alarms[i].composite) composite_alarm_deinit((CompositeAlarm *)section->alarms[i].composite);
}

const SectionDescriptor alarms_section = {
    .key = "alarms",
    .doc = "What is watched, and when it is bad.",
    .size = sizeof(AlarmsSection),
    .decode = alarms_decode,
    .destroy = alarms_destroy,
};

const Alarm *alarm_find(const Snapshot *snapshot, const char *name) {
    const AlarmsSection *section = snapshot_section(snapshot, &alarms_section);
    size_t low = 0, high = section->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(section->by_name[middle]->name, name);
        if (order == 0) return section->by_name[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* --- watches --- */

typedef struct WatchList {
    Watch *watches;
    const Alarm **alarms;
    size_t count, room;
} WatchList;

static void watch_add(WatchList *list, const Alarm *alarm, const AwsAccount *account, const char *region) {
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 16;
        list->watches = alloc_again(list->watches, list->room, sizeof *list->watches);
        list->alarms = alloc_again(list->alarms, list->room, sizeof *list->alarms);
    }
    list->watches[list->count] = (Watch){
        .source = alarm->source,
        .index = list->count,
        .alarm = alarm->name,
        .selector = alarm->selector,
        .account = account->name,
        .region = region,
        .rule = &alarm->rule,
        .every_s = alarm->every_s,
        .settle_s = alarm->settle_s,
    };
    list->alarms[list->count++] = alarm;
}

static void watch_account(WatchList *list, const Alarm *alarm, const AwsAccount *account) {
    for (size_t i = 0; i < account->regions.count; i++) {
        const char *region = account->regions.texts[i];
        if (alarm->regions.count == 0 || lists(&alarm->regions, region)) watch_add(list, alarm, account, region);
    }
    if (alarm->regions.count || !alarm->source->reads_home_region || !account->regions.count) return;
    const char *home = aws_home_region(account->regions.texts[0]);
    if (!lists(&account->regions, home)) watch_add(list, alarm, account, home);
}

size_t alarm_watches(const Snapshot *snapshot, Watch **ret_watches, const Alarm *const **ret_alarms) {
    const AlarmsSection *section = snapshot_section(snapshot, &alarms_section);
    const AwsSection *aws = snapshot_section(snapshot, &aws_section);
    WatchList list = {0};
    for (size_t i = 0; i < section->count; i++) {
        const Alarm *alarm = &section->alarms[i];
        if (!alarm->enabled || !alarm->source) continue;
        for (size_t k = 0; k < aws->account_count; k++)
            if (watches_account(alarm, &aws->accounts[k])) watch_account(&list, alarm, &aws->accounts[k]);
    }
    *ret_watches = alloc_again(list.watches, list.count, sizeof *list.watches); /* they stay: no larger than needed */
    *ret_alarms = alloc_again(list.alarms, list.count, sizeof *list.alarms);
    return list.count;
}
