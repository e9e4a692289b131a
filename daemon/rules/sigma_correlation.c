#include "rules/sigma_correlation.h"

#include "base/alloc.h"
#include "base/text.h"
#include "base/timetext.h"
#include "rules/sigma_builder.h"

#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"event_count", "value_count", "temporal", "temporal_ordered", NULL};
static const char *const later_kinds[] = {
    "value_sum", "value_avg", "value_percentile", "value_median", "value_min", "value_max", NULL};
static const char *const keys[] = {"type", "rules", "group-by", "timespan", "condition", "aliases", "generate", NULL};

static bool nearest_problem(SigmaCompile *in, Place at, const char *what, const char *word, const char *const *known) {
    const char *near = text_nearest(word, known);
    OWN(text) char *remedy = near ? text_format("did you mean `%s`?", near) : text_format("such as `%s`", known[0]);
    return sigma_problem(in, at, remedy, "unknown %s `%.80s`", what, word);
}

static bool kind_read(SigmaCompile *in, const Node *node, Place at, CorrelationKind *ret) {
    if (!node || node->kind != NODE_SCALAR)
        return sigma_problem(in, node ? node->at : at, "event_count, value_count, temporal or temporal_ordered",
            "the correlation has no `type`");
    for (size_t i = 0; kinds[i]; i++)
        if (!strcmp(kinds[i], node->text)) return *ret = (CorrelationKind)i, true;
    for (size_t i = 0; later_kinds[i]; i++)
        if (!strcmp(later_kinds[i], node->text))
            return sigma_problem(in, node->at, "event_count, value_count, temporal or temporal_ordered",
                "the correlation type `%s` is not supported", node->text);
    return nearest_problem(in, node->at, "correlation type", node->text, kinds);
}

/* A text, or a list of 1 to `max` texts. */
static bool texts_read(SigmaCompile *in, const Node *node, const char *what, size_t max, size_t *ret_count,
    const char *const **ret_texts, const Place **ret_places) {
    const size_t count = node->kind == NODE_LIST ? node->count : 1;
    const Node *const *items = node->kind == NODE_LIST ? node->items : &node;
    const char **texts = arena_alloc(in->arena, count, sizeof *texts);
    Place *places = arena_alloc(in->arena, count, sizeof *places);
    if (node->kind == NODE_MAP || !count || count > max)
        return sigma_problem(in, node->at, "a list of them", "`%s` must name 1 to %zu", what, max);
    for (size_t i = 0; i < count; i++) {
        if (items[i]->kind != NODE_SCALAR || !items[i]->length)
            return sigma_problem(in, items[i]->at, "a text", "`%s` must name texts", what);
        texts[i] = arena_text(in->arena, items[i]->text);
        places[i] = (Place){arena_text(in->arena, items[i]->at.file), items[i]->at.line, items[i]->at.column};
    }
    *ret_count = count;
    *ret_texts = texts;
    if (ret_places) *ret_places = places;
    return true;
}

bool timespan_read(SigmaCompile *in, const Node *node, int64_t *ret_seconds) {
    int64_t seconds = 0;
    const bool text = node->kind == NODE_SCALAR && duration_parse(node->text, &seconds);
    if (!text || seconds < 1 || seconds > CORRELATION_TIMESPAN_MAX_S)
        return sigma_problem(in, node->at, "from 1s to 90d, such as 30s, 5m, 1h, 1d", "`%.40s` is no time span",
            node->kind == NODE_SCALAR ? node->text : "this");
    return *ret_seconds = seconds, true;
}

static bool condition_map_read(SigmaCompile *in, const Node *node, SigmaCorrelation *ret) {
    bool good = true, any = false;
    if (node->kind != NODE_MAP)
        return sigma_problem(in, node->at, "such as `condition: {gte: 3}`",
            "a correlation's condition must be a map; one in words is not supported");
    for (size_t i = 0; i < node->count; i++) {
        const NodeEntry *entry = &node->entries[i];
        const bool field = !strcmp(entry->key->text, "field");
        if (!field) {
            good = count_bound_read(entry, in->title, &ret->condition, in->problems) && good;
            any = true;
        } else if (entry->value->kind != NODE_SCALAR || !entry->value->length) {
            good = sigma_problem(in, entry->value->at, "one field", "`field` must name a field");
        } else {
            ret->field = arena_text(in->arena, entry->value->text);
        }
    }
    return any ? good : sigma_problem(in, node->at, "such as `{gte: 3}`", "the condition compares with nothing");
}

static bool aliases_read(SigmaCompile *in, const Node *node, SigmaPending *ret) {
    bool good = node->kind == NODE_MAP;
    for (size_t i = 0; i < node->count && good; i++) {
        const Node *fields = node->entries[i].value;
        good = fields->kind == NODE_MAP;
        for (size_t j = 0; good && j < fields->count; j++) {
            const NodeEntry *entry = &fields->entries[j];
            if (!(good = entry->value->kind == NODE_SCALAR)) break;
            ret->aliases = alloc_again(ret->aliases, ret->alias_count + 1, sizeof *ret->aliases);
            ret->aliases[ret->alias_count++] = (SigmaAlias){.alias = arena_text(in->arena, node->entries[i].key->text),
                .rule = arena_text(in->arena, entry->key->text),
                .field = arena_text(in->arena, entry->value->text),
                .at = {arena_text(in->arena, entry->key->at.file), entry->key->at.line, entry->key->at.column}};
        }
    }
    return good ||
        sigma_problem(in, node->at, "such as `aliases: {ip: {rule_a: sourceIPAddress, rule_b: requestParameters.ip}}`",
            "`aliases` must map an alias to the field of each rule");
}

static bool generate_read(SigmaCompile *in, const Node *node, bool *ret) {
    const bool yes = node->kind == NODE_SCALAR && !strcmp(node->text, "true");
    if (!yes && (node->kind != NODE_SCALAR || strcmp(node->text, "false")))
        return sigma_problem(in, node->at, "true or false", "`generate` is true or false");
    return *ret = yes, true;
}

static bool keys_known(SigmaCompile *in, const Node *node) {
    bool good = true;
    for (size_t i = 0; i < node->count; i++) {
        size_t k = 0;
        while (keys[k] && strcmp(keys[k], node->entries[i].key->text)) k++;
        if (!keys[k])
            good =
                nearest_problem(in, node->entries[i].key->at, "key of a correlation", node->entries[i].key->text, keys);
    }
    return good;
}

static bool missing(SigmaCompile *in, const Node *node, const char *key, const char *remedy) {
    return sigma_problem(in, node->at, remedy, "the correlation has no `%s`", key);
}

/* What each kind needs of the rest. */
static bool kind_is_whole(SigmaCompile *in, const Node *node, SigmaCorrelation *correlation) {
    const bool temporal = correlation->kind >= CORRELATE_TEMPORAL;
    if (!node_get(node, "condition")) {
        if (!temporal) return missing(in, node, "condition", "such as `condition: {gte: 3}`");
        correlation->condition.given[COUNT_GTE] = true;
        correlation->condition.bound[COUNT_GTE] = (int64_t)correlation->rule_count;
    }
    if (correlation->kind == CORRELATE_VALUE_COUNT && !correlation->field)
        return missing(in, node, "condition.field", "value_count counts the values of a field");
    if (temporal && correlation->rule_count < 2)
        return sigma_problem(
            in, node_get(node, "rules")->at, "name two rules or more", "a temporal correlation of one rule");
    return true;
}

bool correlation_read(SigmaCompile *in, const Node *node, SigmaPending *ret) {
    SigmaCorrelation *out = arena_alloc(in->arena, 1, sizeof *out);
    const Node *rules = node_get(node, "rules"), *group_by = node_get(node, "group-by");
    const Node *timespan = node_get(node, "timespan"), *condition = node_get(node, "condition");
    const Node *aliases = node_get(node, "aliases"), *generate = node_get(node, "generate");
    *ret = (SigmaPending){.correlation = out};
    if (node->kind != NODE_MAP)
        return sigma_problem(in, node->at, "type, rules, timespan, condition", "`correlation` must be a map");
    bool good = keys_known(in, node);
    good = kind_read(in, node_get(node, "type"), node->at, &out->kind) && good;
    good = (rules ? texts_read(in, rules, "rules", CORRELATION_RULES_MAX, &out->rule_count, &ret->names, &ret->places)
                  : missing(in, node, "rules", "names or ids of rules")) &&
        good;
    if (group_by)
        good =
            texts_read(in, group_by, "group-by", CORRELATION_GROUP_BY_MAX, &out->group_count, &out->group_by, NULL) &&
            good;
    good = (timespan ? timespan_read(in, timespan, &out->timespan_s)
                     : missing(in, node, "timespan", "such as `timespan: 5m`")) &&
        good;
    if (condition) good = condition_map_read(in, condition, out) && good;
    if (aliases) good = aliases_read(in, aliases, ret) && good;
    if (generate) good = generate_read(in, generate, &ret->generate) && good;
    return good && kind_is_whole(in, node, out);
}

void aggregation_pend(
    SigmaCompile *in, const SigmaAggregation *given, int64_t timespan_s, uint32_t base, uint32_t number) {
    SigmaCorrelation *out = arena_alloc(in->arena, 1, sizeof *out);
    uint32_t *rules = arena_alloc(in->arena, 1, sizeof *rules);
    const CountWord word = given->comparison[0] == '=' ? COUNT_EQ
        : given->comparison[0] == '>'                  ? (given->comparison[1] ? COUNT_GTE : COUNT_GT)
        : given->comparison[1]                         ? COUNT_LTE
                                                       : COUNT_LT;
    rules[0] = base;
    *out = (SigmaCorrelation){.kind = given->field ? CORRELATE_VALUE_COUNT : CORRELATE_EVENT_COUNT,
        .rule_count = 1,
        .rules = rules,
        .group_count = given->by_count,
        .group_by = given->by,
        .field = given->field,
        .timespan_s = timespan_s};
    out->condition.given[word] = true;
    out->condition.bound[word] = given->bound;
    builder_pend(in->builder, (SigmaPending){.number = number, .correlation = out});
}

/* --- looking up, when all documents are read --- */

static bool unknown_rule(SigmaCompile *in, Place at, const char *name) {
    const size_t count = HASH_COUNT(in->builder->names);
    const char **names = alloc_zeroed(count + 1, sizeof *names);
    size_t i = 0;
    for (const SigmaName *it = in->builder->names; it; it = it->hh.next) names[i++] = it->text;
    const char *near = text_nearest(name, names);
    OWN(text) char *remedy = near ? text_format("did you mean `%s`?", near) : NULL;
    free((void *)names);
    return sigma_problem(in, at, remedy ? remedy : "the `name` or `id` of a rule that is loaded too",
        "the correlation's rule `%.80s` does not exist", name);
}

/* The numbers of the names. False: one is unknown, broken, or left out. */
static bool rules_find(SigmaCompile *in, SigmaPending *pending) {
    SigmaCorrelation *out = pending->correlation;
    uint32_t *rules = arena_alloc(in->arena, out->rule_count, sizeof *rules);
    bool good = true;
    for (size_t i = 0; i < out->rule_count; i++) {
        SigmaName *name = NULL;
        HASH_FIND_STR(in->builder->names, pending->names[i], name);
        if (!name) good = unknown_rule(in, pending->places[i], pending->names[i]);
        rules[i] = name ? name->number : (uint32_t)NAME_BROKEN;
        good = good && rules[i] < NAME_LEFT_OUT;
    }
    out->rules = rules;
    return good;
}

static const char *alias_of(SigmaPending *pending, const char *group, uint32_t number, const SigmaSet *set) {
    const SigmaRule *rule = &set->entries[number].rule;
    for (size_t i = 0; i < pending->alias_count; i++) {
        SigmaAlias *alias = &pending->aliases[i];
        const bool named =
            (rule->name && !strcmp(alias->rule, rule->name)) || (rule->id && !strcmp(alias->rule, rule->id));
        if (strcmp(alias->alias, group) || !named) continue;
        alias->used = true;
        return alias->field;
    }
    return group;
}

static bool fields_find(SigmaCompile *in, SigmaPending *pending) {
    SigmaCorrelation *out = pending->correlation;
    const char **fields = arena_alloc(in->arena, out->rule_count * out->group_count, sizeof *fields);
    for (size_t r = 0; r < out->rule_count; r++)
        for (size_t g = 0; g < out->group_count; g++)
            fields[r * out->group_count + g] = alias_of(pending, out->group_by[g], out->rules[r], in->builder->set);
    out->group_fields = fields;
    bool good = true;
    for (size_t i = 0; i < pending->alias_count; i++)
        if (!pending->aliases[i].used)
            good = sigma_problem(in, pending->aliases[i].at, "name an alias of `group-by`, and a rule of `rules`",
                "the alias `%.80s` for `%.80s` is not used", pending->aliases[i].alias, pending->aliases[i].rule);
    return good;
}

static SigmaPending *pending_of(SigmaBuilder *builder, uint32_t number) {
    for (size_t i = 0; i < builder->pending_count; i++)
        if (builder->pending[i].number == number) return &builder->pending[i];
    return NULL;
}

/* False: it refers to itself in the end, or the chain is too long. Recursion is bounded by `level`. */
static bool rank_find(SigmaBuilder *builder, SigmaPending *pending, size_t level) {
    SigmaCorrelation *out = pending->correlation;
    if (pending->ranked) return true;
    if (pending->visiting || level > CORRELATION_CHAIN_MAX) return false;
    pending->visiting = true;
    bool good = true;
    for (size_t i = 0; i < out->rule_count && good; i++) {
        SigmaPending *inner = pending_of(builder, out->rules[i]);
        if (!inner || !inner->correlation->rules) continue;
        good = rank_find(builder, inner, level + 1);
        if (inner->rank + 1 > pending->rank) pending->rank = inner->rank + 1;
    }
    pending->visiting = false;
    pending->ranked = good;
    return good && pending->rank <= CORRELATION_CHAIN_MAX;
}

static void quiet_parts(SigmaBuilder *builder) {
    for (size_t i = 0; i < builder->pending_count; i++) {
        const SigmaPending *pending = &builder->pending[i];
        const SigmaCorrelation *out = pending->correlation;
        for (size_t r = 0; out->rules && r < out->rule_count; r++)
            if (out->rules[r] < NAME_LEFT_OUT && !pending->generate)
                builder->set->entries[out->rules[r]].rule.silent = true;
    }
    for (size_t i = 0; i < builder->pending_count; i++) {
        const SigmaPending *pending = &builder->pending[i];
        const SigmaCorrelation *out = pending->correlation;
        for (size_t r = 0; out->rules && r < out->rule_count; r++)
            if (out->rules[r] < NAME_LEFT_OUT && pending->generate)
                builder->set->entries[out->rules[r]].rule.silent = false;
    }
}

void correlations_resolve(SigmaBuilder *builder) {
    bool *good = alloc_zeroed(builder->pending_count, sizeof *good);
    for (size_t i = 0; i < builder->pending_count; i++) {
        SigmaPending *pending = &builder->pending[i];
        SigmaCompile in = {builder->set->arena, builder, builder->problems, builder->options,
            builder->set->entries[pending->number].rule.title, 0};
        good[i] = (!pending->names || rules_find(&in, pending)) && fields_find(&in, pending);
    }
    for (size_t i = 0; i < builder->pending_count; i++) {
        SigmaPending *pending = &builder->pending[i];
        SigmaRule *rule = &builder->set->entries[pending->number].rule;
        SigmaCompile in = {builder->set->arena, builder, builder->problems, builder->options, rule->title, 0};
        if (!good[i]) continue;
        if (rank_find(builder, pending, 0))
            rule->correlation = pending->correlation;
        else
            sigma_problem(&in, rule->at, "let each refer to rules below it only",
                "the correlation refers to itself in the end, or through more than %d others", CORRELATION_CHAIN_MAX);
    }
    quiet_parts(builder);
    free(good);
}
