/* daemon/sources/event_alarms.c: the finished set: what it says of each selector, and the alarms of rule files */
#include "sources/cloudtrail.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "sources/sigma_section.h"

#include <string.h>

enum { ANNOTATIONS = 5, ANNOTATION_MAX = 4096 };

/* --- parts of a rule --- */

static void finish_correlation(EventSelector *selector, Arena *arena) {
    const SigmaCorrelation *correlation = selector->correlation;
    EventPart *parts = arena_alloc(arena, correlation->rule_count, sizeof *parts);
    for (size_t r = 0; r < correlation->rule_count; r++)
        parts[r] = (EventPart){correlation->rules[r], correlation->group_fields + r * correlation->group_count};
    selector->count = correlation->condition;
    selector->timespan_s = correlation->timespan_s;
    selector->group_names = correlation->group_by;
    selector->group_count = correlation->group_count;
    selector->parts = parts;
    selector->part_count = correlation->rule_count;
}

void event_selector_finish(EventSelector *selector, const SigmaSet *set, Arena *arena) {
    selector->set = set;
    selector->rule = sigma_set_rule(set, selector->number);
    selector->correlation = selector->rule->correlation;
    if (selector->correlation) return finish_correlation(selector, arena);
    EventPart *part = arena_alloc(arena, 1, sizeof *part);
    *part = (EventPart){selector->number, selector->group_by.texts};
    selector->group_names = selector->group_by.texts;
    selector->group_count = selector->group_by.count;
    selector->parts = part;
    selector->part_count = 1;
}

/* --- alarms of rule files --- */

static const char *joined(Arena *arena, const SigmaTexts *list) {
    Buffer out = BUFFER(ANNOTATION_MAX);
    for (size_t i = 0; i < list->count; i++) {
        const size_t length = strlen(list->texts[i]);
        if (length + 2 > out.max - out.used) break; /* no half of a link */
        buffer_format(&out, "%s%s", i ? ", " : "", list->texts[i]);
    }
    const char *text = arena_text(arena, buffer_string(&out));
    buffer_deinit(&out);
    return text;
}

static TextMap annotations_of(Arena *arena, const SigmaRule *rule) {
    const char *const all[ANNOTATIONS][2] = {{"sigma_id", rule->id}, {"references", joined(arena, &rule->references)},
        {"tags", joined(arena, &rule->tags)}, {"falsepositives", joined(arena, &rule->falsepositives)},
        {"author", rule->author}};
    const char **names = arena_alloc(arena, ANNOTATIONS, sizeof *names);
    const char **texts = arena_alloc(arena, ANNOTATIONS, sizeof *texts);
    Place *places = arena_alloc(arena, ANNOTATIONS, sizeof *places);
    size_t count = 0;
    for (size_t i = 0; i < ANNOTATIONS; i++) {
        if (!all[i][1] || !*all[i][1]) continue;
        names[count] = all[i][0];
        texts[count] = all[i][1];
        places[count++] = rule->at;
    }
    return (TextMap){count, names, texts, places};
}

static CountCondition once(void) {
    CountCondition count = {0};
    count.given[COUNT_GTE] = true;
    count.bound[COUNT_GTE] = 1;
    return count;
}

static SourceAlarm alarm_of(const SigmaSection *sigma, uint32_t number, Arena *arena) {
    const SigmaRule *rule = sigma_set_rule(sigma->set, number);
    EventSelector *selector = arena_alloc(arena, 1, sizeof *selector);
    selector->number = number;
    selector->timespan_s = sigma->timespan_s;
    selector->count = once();
    event_selector_finish(selector, sigma->set, arena);
    return (SourceAlarm){
        .name = rule->title,
        .description = rule->description,
        .severity = sigma_severity(rule->level),
        .annotations = annotations_of(arena, rule),
        .selector = selector,
        .at = rule->at,
    };
}

/* What is correlated is counted by instances that events make; an inner correlation makes none of its own. */
static bool correlates_events(const SigmaSet *set, uint32_t number, Decoding *in) {
    const SigmaRule *rule = sigma_set_rule(set, number);
    for (size_t r = 0; rule->correlation && r < rule->correlation->rule_count; r++)
        if (sigma_set_rule(set, rule->correlation->rules[r])->correlation)
            return problem_add(in->problems, rule->at, "name the rules that match events",
                "`%.80s` correlates a correlation, which the daemon does not do", rule->title);
    return true;
}

size_t event_alarms(Decoding *in, const SourceAlarm **ret_alarms) {
    SigmaSection *sigma = snapshot_section_mutable(in->snapshot, &sigma_section);
    const SigmaSet *set = sigma_section_finish(sigma);
    SourceAlarm *alarms = arena_alloc(in->arena, sigma->file_rules, sizeof *alarms);
    size_t count = 0;
    for (size_t i = 0; i < sigma->inside_count; i++) event_selector_finish(sigma->inside[i], set, in->arena);
    for (uint32_t number = 0; number < sigma->file_rules; number++)
        if (!sigma_set_rule(set, number)->silent && sigma_rule_lives(set, number) && correlates_events(set, number, in))
            alarms[count++] = alarm_of(sigma, number, in->arena);
    *ret_alarms = alarms;
    return count;
}
