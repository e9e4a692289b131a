#include "alarms/composite_alarm.h"

#include "base/alloc.h"
#include "rules/composite_cycle.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400 };
#define RULE_REMEDY "such as 'ALARM(\"a\") AND NOT OK(\"b\")'"

typedef struct CompositeKeys {
    const Node *rule;
} CompositeKeys;

const SchemaRow composite_rows[] = {
    {.key = "rule",
        .type = SCHEMA_NODE,
        .offset = offsetof(CompositeKeys, rule),
        .remedy = RULE_REMEDY,
        .doc = "States of other alarms, joined: ALARM(\"a\"), OK(\"a\") and INSUFFICIENT_DATA(\"a\"), AND, OR, NOT and "
               "brackets, TRUE and FALSE, AT_LEAST(2, ALARM, (\"a\", \"b\", \"c\")) and AT_LEAST(50%, NOT OK, (...)). "
               "NOT goes before AND, AND before OR. Required."},
    SCHEMA_END,
};

typedef struct SuppressorKeys {
    const Node *alarm;
    int64_t wait_s, extension_s;
} SuppressorKeys;

const SchemaRow suppressor_rows[] = {
    {.key = "alarm",
        .type = SCHEMA_NODE,
        .offset = offsetof(SuppressorKeys, alarm),
        .remedy = "the name of an alarm",
        .doc = "While this alarm is in ALARM nobody is told of the composite's changes. Required."},
    {.key = "wait",
        .type = SCHEMA_DURATION,
        .offset = offsetof(SuppressorKeys, wait_s),
        .max = DAY_S,
        .fallback = "1m",
        .remedy = "a duration from 0s to 1d",
        .doc =
            "How long a change of the composite waits, so that a suppressor that goes off a little later still holds "
            "it back."},
    {.key = "extension",
        .type = SCHEMA_DURATION,
        .offset = offsetof(SuppressorKeys, extension_s),
        .max = DAY_S,
        .fallback = "1m",
        .remedy = "a duration from 0s to 1d",
        .doc = "How long it goes on holding when the suppressor has ended, so that a composite that recovers a little "
               "later is not told."},
    SCHEMA_END,
};

/* --- one alarm --- */

static Place first_key(const Node *section) { return section->count ? section->entries[0].key->at : section->at; }

static bool is_text(const Node *node) { return node && node->kind == NODE_SCALAR && !node_is_null(node); }

static bool decode_rule(const Node *section, CompositeAlarm *into, Decoding *in) {
    CompositeKeys keys = {0};
    if (!schema_read(composite_rows, section, section->at, &keys, in)) return false;
    if (!keys.rule) return problem_add(in->problems, first_key(section), RULE_REMEDY, "`rule` is missing");
    if (!is_text(keys.rule)) return problem_add(in->problems, keys.rule->at, RULE_REMEDY, "`rule` must be a text");
    Fault fault = {0};
    into->text = keys.rule->text;
    into->at = keys.rule->at;
    into->rule = composite_parse(into->text, &fault);
    if (!into->rule)
        return problem_add(
            in->problems, into->at, fault.remedy, "`rule`: %s, at character %zu", fault.what, fault.column);
    const size_t mixed = composite_mixed_column(into->rule);
    if (mixed)
        problem_warn(in->problems, into->at, "put brackets: AND goes first here, and others may read it otherwise",
            "`rule` has AND beside OR without brackets, at character %zu", mixed);
    return true;
}

static bool decode_suppressor(const Node *section, CompositeAlarm *into, Decoding *in) {
    SuppressorKeys keys = {0};
    if (!section) return true;
    if (!schema_read(suppressor_rows, section, section->at, &keys, in)) return false;
    if (!is_text(keys.alarm))
        return problem_add(in->problems, keys.alarm ? keys.alarm->at : first_key(section), "the name of an alarm",
            keys.alarm ? "`alarm` must be a text" : "`alarm` is missing");
    into->suppressor = keys.alarm->text;
    into->suppressor_at = keys.alarm->at;
    into->suppression = (SuppressionRule){keys.wait_s * 1000, keys.extension_s * 1000, true};
    return true;
}

bool composite_alarm_decode(const Node *alarm, CompositeAlarm *into, Decoding *in) {
    const bool has_rule = decode_rule(node_get(alarm, "composite"), into, in);
    return decode_suppressor(node_get(alarm, "suppressor"), into, in) && has_rule;
}

void composite_alarm_deinit(CompositeAlarm *composite) { composite->rule = composite_free(composite->rule); }

/* --- all of them --- */

typedef struct Check {
    const AlarmsSection *section;
    const Alarm **composites;
    NamedComposite *named;
    unsigned *parents; /* parallel to by_name: how many composites watch it */
    size_t count;
    Decoding *in;
} Check;

static size_t find(const AlarmsSection *section, const char *name) {
    size_t low = 0, high = section->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(section->by_name[middle]->name, name);
        if (order == 0) return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return SIZE_MAX;
}

static void check_reference(Check *check, const Alarm *parent, const char *name, Place at, size_t column) {
    Problems *problems = check->in->problems;
    const size_t found = find(check->section, name);
    if (found == SIZE_MAX) {
        problem_add(problems, at, "the name of an alarm in `alarms`", "there is no alarm `%.80s`, at character %zu",
            name, column);
    } else if (parent->enabled && !check->section->by_name[found]->enabled) {
        problem_warn(problems, at, "enable it, or take it out",
            "the alarm `%.80s` is disabled: what asks for it is "
            "false",
            name);
    } else if (check->parents[found]++ == COMPOSITE_PARENTS_MAX) {
        problem_add(problems, at, "put some of them together", "more than %d composites watch the alarm `%.80s`",
            COMPOSITE_PARENTS_MAX, name);
    }
}

static void check_references(Check *check, const Alarm *alarm) {
    const CompositeAlarm *composite = alarm->composite;
    for (size_t i = 0; composite->rule && i < composite_children(composite->rule); i++)
        check_reference(check, alarm, composite_child(composite->rule, i), composite->at,
            composite_child_column(composite->rule, i));
    if (!composite->suppressor) return;
    if (!strcmp(composite->suppressor, alarm->name))
        problem_add(check->in->problems, composite->suppressor_at, "name another alarm",
            "the alarm `%.80s` would suppress itself", alarm->name);
    else
        check_reference(check, alarm, composite->suppressor, composite->suppressor_at, 1);
}

static void cycle_found(void *ctx, size_t index, const char *path) {
    const Check *check = ctx;
    problem_add(check->in->problems, check->composites[index]->composite->at, "let one of them not ask for the next",
        "these alarms wait for each other: %.400s", path);
}

bool composite_alarms_check(const AlarmsSection *section, Decoding *in) {
    const size_t errors = problems_errors(in->problems);
    Check check = {.section = section, .in = in};
    check.composites = alloc_zeroed(section->count + 1, sizeof *check.composites);
    check.named = alloc_zeroed(section->count + 1, sizeof *check.named);
    check.parents = alloc_zeroed(section->count + 1, sizeof *check.parents);
    for (size_t i = 0; i < section->count; i++) {
        const Alarm *alarm = &section->alarms[i];
        if (!alarm->composite) continue;
        check_references(&check, alarm);
        check.composites[check.count] = alarm;
        check.named[check.count++] = (NamedComposite){alarm->name, alarm->composite->rule};
    }
    composite_cycles(check.named, check.count, cycle_found, &check);
    free(check.composites);
    free(check.named);
    free(check.parents);
    return problems_errors(in->problems) == errors;
}
