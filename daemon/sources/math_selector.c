#include "sources/math_selector.h"

#include "base/alloc.h"
#include "base/text.h"
#include "sources/cloudwatch.h"
#include "sources/math_expression.h"

#include <ctype.h>
#include <string.h>

enum { MINUTE_S = 60, METRICS_MAX = 10, ROOM = MATH_ITEMS_MAX + 1 };

static MathItem *item_at(const MathSelector *math, size_t index) { return (MathItem *)math->items.items + index; }

static const Node *node_at(const MathSelector *math, size_t index) { return math->items.nodes[index]; }

/* Where a key's value stands; the entry itself where it is absent. */
static Place place_of(const MathSelector *math, size_t index, const char *key) {
    const Node *value = node_get(node_at(math, index), key);
    return value ? value->at : node_at(math, index)->at;
}

/* --- one entry --- */

static bool expression_alone(const MathSelector *math, size_t index, Decoding *in) {
    static const char *const of_metric[] = {"namespace", "metric_name", "statistic", "dimensions", "unit"};
    bool fine = true;
    for (size_t i = 0; i < COUNT_OF(of_metric); i++) {
        const NodeEntry *entry = node_entry(node_at(math, index), of_metric[i]);
        if (entry)
            fine = problem_add(in->problems, entry->key->at, "an entry is a metric or an expression",
                "`%s` stands beside `expression`", of_metric[i]);
    }
    return fine;
}

static bool metric_whole(const MathSelector *math, size_t index, Decoding *in) {
    static const char *const needed[] = {"namespace", "metric_name", "statistic"};
    bool fine = true;
    for (size_t i = 0; i < COUNT_OF(needed); i++)
        if (!node_get(node_at(math, index), needed[i]))
            fine = problem_add(in->problems, node_at(math, index)->at, "or give an `expression` in place of a metric",
                "`%s` is missing", needed[i]);
    return fine;
}

static bool items_ok(MathSelector *math, Decoding *in) {
    bool fine = true;
    size_t metrics = 0;
    for (size_t i = 0; i < math->items.count; i++) {
        MathItem *item = item_at(math, i);
        if (item->expression) {
            fine = expression_alone(math, i, in) && fine;
            continue;
        }
        metrics++;
        fine = metric_whole(math, i, in) && metric_selector_finish(in->arena, &item->metric) && fine;
        if (metrics == METRICS_MAX + 1)
            fine = problem_add(in->problems, node_at(math, i)->at, "at most 10, as in CloudWatch",
                "an alarm cannot have more metrics than 10");
    }
    return fine;
}

static bool ids_ok(const MathSelector *math, Decoding *in) {
    bool fine = true;
    for (size_t i = 1; i < math->items.count; i++)
        for (size_t k = 0; k < i; k++) {
            if (strcmp(item_at(math, i)->id, item_at(math, k)->id) != 0) continue;
            fine = problem_add(in->problems, place_of(math, i, "id"), "ids are unique in an alarm",
                "the id `%.80s` exists already, at line %u", item_at(math, i)->id, place_of(math, k, "id").line);
        }
    return fine;
}

/* --- which of them is judged --- */

static bool returned_ok(MathSelector *math, Decoding *in, Place at) {
    size_t count = 0;
    bool fine = true;
    for (size_t i = 0; i < math->items.count; i++) {
        if (!item_at(math, i)->return_data) continue;
        if (count++)
            fine = problem_add(in->problems, place_of(math, i, "return_data"), "true for the one that is judged",
                "`return_data` is true for `%.80s` already", item_at(math, math->returned)->id);
        else
            math->returned = i;
    }
    if (count || math->items.count == 1) return fine;
    return problem_add(
        in->problems, at, "`return_data: true` for the one that is judged", "none of the alarm's metrics returns data");
}

/* --- the period --- */

static bool period_ok(MathSelector *math, Decoding *in) {
    bool fine = true;
    for (size_t i = 0; i < math->items.count; i++) {
        const int64_t own_s = item_at(math, i)->metric.period_s;
        if (!own_s && item_at(math, i)->expression) continue;
        const int64_t period_s = own_s ? own_s : MINUTE_S;
        if (math->period_s && period_s != math->period_s)
            fine = problem_add(in->problems, place_of(math, i, "period"), "one period for all of them",
                "`%.80s` has a period of %lld seconds, another one %lld", item_at(math, i)->id, (long long)period_s,
                (long long)math->period_s);
        else
            math->period_s = period_s;
    }
    if (!math->period_s) math->period_s = MINUTE_S;
    return fine;
}

/* --- expressions --- */

/* An id begins with a small letter; what begins with a large one is a word of the language. */
static bool names_an_id(const MathToken *token) {
    return token->kind == MATH_NAME && islower((unsigned char)*token->text);
}

static bool ids_known(const MathSelector *math, size_t index, const char *const *ids, Decoding *in) {
    MathScan scan = {.at = item_at(math, index)->expression};
    bool fine = true;
    for (MathToken token; fine && math_next(&scan, &token);) {
        if (!names_an_id(&token)) continue;
        bool known = false;
        for (size_t i = 0; i < math->items.count; i++) known = known || math_token_is(&token, ids[i]);
        if (known && !math_token_is(&token, ids[index])) continue;
        const char *word = arena_text_length(in->arena, token.text, token.length);
        const char *near = known ? NULL : text_nearest(word, ids);
        fine = known ? problem_add(in->problems, place_of(math, index, "expression"), "other entries' ids alone",
                           "the expression names itself, `%.80s`", word)
                     : problem_add(in->problems, place_of(math, index, "expression"), "an id of this alarm's `metrics`",
                           "the expression names `%.80s`, which is no id here%s%s%s", word,
                           near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
    }
    return fine;
}

/* What folds a series to one figure changes its meaning with the length of what is read (CloudWatch's advice). */
static void warn_of_folding(const MathSelector *math, size_t index, Decoding *in) {
    static const char *const whole[] = {"DATAPOINT_COUNT", "RUNNING_SUM", "REMOVE_EMPTY"};
    for (size_t i = 0; i < COUNT_OF(whole); i++)
        if (expression_calls(item_at(math, index)->expression, whole[i]))
            problem_warn(in->problems, place_of(math, index, "expression"), "avoid it in an alarm",
                "`%s` depends on how much CloudWatch is asked for, not on the alarm's window", whole[i]);
}

static bool expressions_ok(const MathSelector *math, Decoding *in) {
    const char *ids[ROOM] = {NULL};
    bool fine = true;
    for (size_t i = 0; i < math->items.count; i++) ids[i] = item_at(math, i)->id;
    for (size_t i = 0; i < math->items.count; i++) {
        const char *expression = item_at(math, i)->expression;
        if (!expression) continue;
        if (expression_calls(expression, "ANOMALY_DETECTION_BAND"))
            fine = problem_add(in->problems, place_of(math, i, "expression"), "compare with a threshold",
                "anomaly bands do not exist in this version of Tocsin");
        if (expression_is_query(expression)) continue;
        fine = ids_known(math, i, ids, in) && fine;
        warn_of_folding(math, i, in);
    }
    return fine;
}

/* Does the entry give several series, by itself or by an entry that it passes on? */
static bool is_many(const MathSelector *math, size_t index, bool *seen) {
    const char *expression = item_at(math, index)->expression;
    if (!expression || seen[index]) return false;
    seen[index] = true;
    if (expression_is_many(expression)) return true;
    for (size_t i = 0; i < math->items.count; i++)
        if (i != index && expression_passes(expression, item_at(math, i)->id) && is_many(math, i, seen)) return true;
    return false;
}

/* Several series come with one id and are told apart by their label alone: it is asked for as the dimensions. */
static void name_series(MathSelector *math, Arena *arena) {
    const MathItem *item = item_at(math, math->returned);
    math->label = item->label;
    if (!math->is_many || item->label) return;
    const char *found[EXPRESSION_NAMES_MAX];
    math->name_count = expression_names(arena, item->expression, found);
    const char **names = arena_alloc(arena, math->name_count + 1, sizeof *names);
    for (size_t i = 0; i < math->name_count; i++) {
        names[i] = found[i];
        math->label =
            arena_format(arena, "%s%s${PROP('Dim.%s')}", i ? math->label : "", i ? MATH_LABEL_BETWEEN : "", names[i]);
    }
    math->names = names;
}

static void look_at_kind(MathSelector *math, Arena *arena) {
    for (size_t i = 0; i < math->items.count; i++) {
        const char *expression = item_at(math, i)->expression;
        item_at(math, i)->at = place_of(math, i, "expression");
        if (!expression) {
            math->billed_units++;
            continue;
        }
        math->is_query = math->is_query || expression_is_query(expression);
        /* METRICS() is all that the call asks for, other alarms' metrics too */
        math->is_alone = math->is_alone || math->is_query || expression_calls(expression, "METRICS");
    }
    bool seen[ROOM] = {false};
    math->is_many = is_many(math, math->returned, seen);
    math->is_alone = math->is_alone || math->is_many;
    if (math->billed_units < 1) math->billed_units = 1; /* what a query looks at is known to CloudWatch alone */
    name_series(math, arena);
}

/* --- the rule --- */

static int64_t settle_of(const MathSelector *math) {
    int64_t settle_s = metric_settle_s("", math->period_s);
    for (size_t i = 0; i < math->items.count; i++) {
        const char *namespace = item_at(math, i)->metric.namespace;
        const int64_t own_s = namespace ? metric_settle_s(namespace, math->period_s) : 0;
        if (own_s > settle_s) settle_s = own_s;
    }
    return settle_s;
}

static bool is_dynamodb(const MathSelector *math) {
    for (size_t i = 0; i < math->items.count; i++) {
        const char *namespace = item_at(math, i)->metric.namespace;
        if (namespace && strcmp(namespace, "AWS/DynamoDB") == 0) return true;
    }
    return false;
}

static bool query_reach_ok(const MathSelector *math, const ThresholdRule *rule, int64_t settle_s, Decoding *in) {
    const int64_t reach_s = (int64_t)rule->range * rule->period_s + settle_s + evaluation_step_s(rule);
    if (!math->is_query || reach_s <= MATH_QUERY_KEPT_S) return true;
    return problem_add(in->problems, place_of(math, math->returned, "expression"),
        "fewer evaluation_periods, or a shorter period",
        "the alarm looks back more than 3h, and a Metrics Insights query sees no more");
}

bool math_selector_decode(Decoding *in, const Node *node, void *selector, ThresholdRule *rule, bool missing_given,
    int64_t *settle_s, int64_t *every_s) {
    MathSelector *math = selector;
    (void)every_s;
    bool fine = items_ok(math, in);
    fine = ids_ok(math, in) && fine;
    fine = returned_ok(math, in, node->at) && fine;
    fine = period_ok(math, in) && fine;
    fine = expressions_ok(math, in) && fine;
    if (!fine) return false;
    look_at_kind(math, in->arena);
    rule->period_s = math->period_s;
    if (!missing_given) rule->missing = is_dynamodb(math) ? MISSING_IGNORE : MISSING_MISSING;
    if (*settle_s == 0) *settle_s = settle_of(math);
    metric_range_default(rule, *settle_s);
    return query_reach_ok(math, rule, *settle_s, in) && metric_reach_ok(in, node, rule, *settle_s);
}

/* --- the series' own labels --- */

static size_t parts_of(char *text, char *ret_parts[static EXPRESSION_NAMES_MAX]) {
    size_t count = 0;
    for (char *at = text; at && count < EXPRESSION_NAMES_MAX; count++) {
        char *next = strstr(at, MATH_LABEL_BETWEEN);
        if (next) *next = '\0';
        ret_parts[count] = at;
        at = next ? next + strlen(MATH_LABEL_BETWEEN) : NULL;
    }
    return count;
}

Labels *math_labels(const MathSelector *math, const char *label) {
    OWN(text) char *text = text_copy(label);
    char *parts[EXPRESSION_NAMES_MAX];
    Label labels[EXPRESSION_NAMES_MAX];
    const size_t count = parts_of(text, parts);
    if (!math->name_count || count != math->name_count) return labels_new(&(Label){"label", label}, 1);
    for (size_t i = 0; i < count; i++) labels[i] = (Label){math->names[i], parts[i]};
    return labels_new(labels, count);
}
