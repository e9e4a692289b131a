/* One document of a rule file: what the rule says of itself, then its detection or correlation. */
#include "base/alloc.h"
#include "base/text.h"
#include "rules/sigma_builder.h"

#include <stdlib.h>
#include <string.h>

static const char *const levels[] = {"informational", "low", "medium", "high", "critical", NULL};
static const char *const severities[] = {"info", "info", "warning", "error", "critical"};

const char *sigma_level_word(SigmaLevel level) { return levels[level]; }
const char *sigma_severity(SigmaLevel level) { return severities[level]; }

/* NULL where absent or wrong; then `*good` becomes false. */
static const char *read_text(SigmaCompile *in, const Node *map, const char *key, bool *good) {
    const Node *node = node_get(map, key);
    if (!node || node_is_null(node)) return NULL;
    if (node->kind == NODE_SCALAR) return arena_text(in->arena, node->text);
    *good = sigma_problem(in, node->at, "one text", "`%s` must be a text", key);
    return NULL;
}

static SigmaTexts read_texts(SigmaCompile *in, const Node *map, const char *key, bool *good) {
    const Node *node = node_get(map, key);
    if (!node || node_is_null(node)) return (SigmaTexts){0};
    const size_t count = node->kind == NODE_LIST ? node->count : 1;
    const Node *const *items = node->kind == NODE_LIST ? node->items : &node;
    const char **texts = arena_alloc(in->arena, count, sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        texts[i] = items[i]->kind == NODE_SCALAR ? arena_text(in->arena, items[i]->text) : "";
        if (items[i]->kind != NODE_SCALAR)
            *good = sigma_problem(in, items[i]->at, "quote it if it holds `: `", "`%s` must be a list of texts", key);
    }
    return (SigmaTexts){count, texts};
}

static bool read_level(SigmaCompile *in, const Node *document, SigmaLevel *ret) {
    const Node *node = node_get(document, "level");
    *ret = SIGMA_MEDIUM;
    if (!node || node_is_null(node)) return true;
    for (size_t i = 0; levels[i] && node->kind == NODE_SCALAR; i++)
        if (!strcmp(levels[i], node->text)) return *ret = (SigmaLevel)i, true;
    const char *word = node->kind == NODE_SCALAR ? node->text : "this";
    const char *near = text_nearest(word, levels);
    OWN(text) char *remedy = near ? text_format("did you mean `%s`?", near) : NULL;
    return sigma_problem(in, node->at, remedy ? remedy : "informational, low, medium, high or critical",
        "`level` cannot be `%.40s`", word);
}

static bool read_logsource(SigmaCompile *in, const Node *document, SigmaRule *rule) {
    const Node *node = node_get(document, "logsource");
    bool good = true;
    if (!node || node_is_null(node)) return true;
    if (node->kind != NODE_MAP)
        return sigma_problem(in, node->at, "such as {product: aws, service: cloudtrail}", "`logsource` must be a map");
    rule->product = read_text(in, node, "product", &good);
    rule->service = read_text(in, node, "service", &good);
    rule->category = read_text(in, node, "category", &good);
    rule->definition = read_text(in, node, "definition", &good);
    return good;
}

static bool read_about(SigmaCompile *in, const Node *document, SigmaRule *rule) {
    bool good = true;
    rule->at = (Place){arena_text(in->arena, document->at.file), document->at.line, document->at.column};
    rule->title = in->title;
    rule->id = read_text(in, document, "id", &good);
    rule->name = read_text(in, document, "name", &good);
    rule->status = read_text(in, document, "status", &good);
    rule->description = read_text(in, document, "description", &good);
    rule->author = read_text(in, document, "author", &good);
    rule->date = read_text(in, document, "date", &good);
    rule->modified = read_text(in, document, "modified", &good);
    rule->license = read_text(in, document, "license", &good);
    rule->tags = read_texts(in, document, "tags", &good);
    rule->references = read_texts(in, document, "references", &good);
    rule->falsepositives = read_texts(in, document, "falsepositives", &good);
    rule->fields = read_texts(in, document, "fields", &good);
    good = read_level(in, document, &rule->level) && good;
    return read_logsource(in, document, rule) && good;
}

static void warn_unused(SigmaCompile *in, const SigmaSearch *searches, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!searches[i].used)
            problem_warn(in->problems, searches[i].at, "name it in the condition, or take it out",
                "%s: the condition does not use `%.80s`", in->title, searches[i].name);
}

/* The detection's expression. NULL: problems. */
static const SigmaExpr *read_detection(SigmaCompile *in, const Node *node, SigmaAggregation *ret_aggregation) {
    const Node *condition = node_get(node, "condition");
    size_t count = 0;
    SigmaSearch *searches = detection_read(in, node, &count);
    if (!searches) return NULL;
    if (!condition)
        return sigma_problem(in, node->at, "such as `condition: selection`", "the detection has no `condition`"), NULL;
    const SigmaExpr *expr = condition_read(in, condition, searches, count, ret_aggregation);
    if (expr) warn_unused(in, searches, count);
    for (size_t i = 0; i < count; i++)
        if (!searches[i].expr) return NULL;
    return count ? expr : NULL;
}

static bool read_timeframe(SigmaCompile *in, const Node *detection, int64_t *ret_seconds) {
    const Node *node = node_get(detection, "timeframe");
    *ret_seconds = in->options->timespan_s;
    if (node) return timespan_read(in, node, ret_seconds);
    return *ret_seconds ||
        sigma_problem(
            in, detection->at, "such as `timeframe: 5m`", "a condition that counts needs a `timeframe` beside it");
}

/* A rule whose condition counts is two: what matches, and the count of it. */
static bool add_counted(SigmaCompile *in, const Node *detection, SigmaRule *rule, const SigmaExpr *expr,
    const SigmaAggregation *aggregation, uint32_t *ret_number) {
    int64_t timespan_s = 0;
    if (!read_timeframe(in, detection, &timespan_s)) return false;
    SigmaRule part = *rule;
    part.id = part.name = NULL;
    const uint32_t base = builder_add(in, &part, expr);
    *ret_number = base == UINT32_MAX ? UINT32_MAX : builder_add(in, rule, NULL);
    if (*ret_number == UINT32_MAX) return false;
    aggregation_pend(in, aggregation, timespan_s, base, *ret_number);
    return true;
}

static bool add_rule(SigmaCompile *in, const Node *detection, SigmaRule *rule, bool good, uint32_t *ret_number) {
    SigmaAggregation aggregation = {0};
    const SigmaExpr *expr = read_detection(in, detection, &aggregation);
    if (!expr || !good) return false;
    if (aggregation.given) return add_counted(in, detection, rule, expr, &aggregation, ret_number);
    *ret_number = builder_add(in, rule, expr);
    return *ret_number != UINT32_MAX;
}

static bool add_correlation(SigmaCompile *in, const Node *node, SigmaRule *rule, bool good, uint32_t *ret_number) {
    SigmaPending pending;
    good = correlation_read(in, node, &pending) && good;
    *ret_number = good ? builder_add(in, rule, NULL) : UINT32_MAX;
    if (*ret_number == UINT32_MAX) return free(pending.aliases), false;
    pending.number = *ret_number;
    builder_pend(in->builder, pending);
    return true;
}

/* Documents that other tools know. */
static bool refused_kind(SigmaCompile *in, const Node *document) {
    const NodeEntry *action = node_entry(document, "action"), *filter = node_entry(document, "filter");
    if (action)
        return !sigma_problem(
            in, action->key->at, "write the rules out", "a rule collection with `action` is not supported");
    if (filter)
        return !sigma_problem(in, filter->key->at, "put the exclusion into the rule: `selection and not filter`",
            "a Sigma filter is not supported");
    return false;
}

static bool neither(SigmaCompile *in, const Node *document) {
    static const char *const wanted[] = {"detection", "correlation", NULL};
    for (size_t i = 0; i < document->count; i++) {
        const char *near = text_nearest(document->entries[i].key->text, wanted);
        if (!near) continue;
        OWN(text) char *remedy = text_format("did you mean `%s`?", near);
        return sigma_problem(
            in, document->entries[i].key->at, remedy, "unknown key `%.80s`", document->entries[i].key->text);
    }
    return sigma_problem(in, document->at, "is this a Sigma rule?", "there is neither `detection` nor `correlation`");
}

static bool read_kind(SigmaCompile *in, const Node *document, SigmaRule *rule, bool good, uint32_t *ret_number) {
    const Node *detection = node_get(document, "detection"), *correlation = node_get(document, "correlation");
    if (refused_kind(in, document)) return false;
    if (detection && correlation)
        return sigma_problem(in, correlation->at, "a document of its own, behind a line `---`",
            "`detection` and `correlation` stand in one document");
    if (correlation) return add_correlation(in, correlation, rule, good, ret_number);
    return detection ? add_rule(in, detection, rule, good, ret_number) : neither(in, document);
}

static bool is_of_another(const SigmaOptions *wanted, const SigmaRule *rule) {
    return (wanted->product && rule->product && strcmp(wanted->product, rule->product)) ||
        (wanted->service && rule->service && strcmp(wanted->service, rule->service));
}

bool document_read(SigmaBuilder *builder, const Node *document) {
    SigmaCompile in = {.arena = builder->set->arena,
        .builder = builder,
        .problems = builder->problems,
        .options = builder->options,
        .title = "a rule without a title"};
    SigmaRule rule = {0};
    if (document->kind != NODE_MAP)
        return sigma_problem(&in, document->at, "is this a Sigma rule?", "a rule must be a map");
    const Node *title = node_get(document, "title");
    const bool titled = title && title->kind == NODE_SCALAR && title->length && title->length <= 1024;
    if (titled) in.title = arena_text(in.arena, title->text);
    bool good = titled || refused_kind(&in, document) ||
        sigma_problem(&in, title ? title->at : document->at, "a line `title: ...` of at most 1024 bytes",
            "the rule needs a title");
    good = read_about(&in, document, &rule) && good;
    uint32_t number = NAME_BROKEN;
    if (is_of_another(builder->options, &rule))
        number = NAME_LEFT_OUT, builder->left_out++;
    else if (!read_kind(&in, document, &rule, good, &number))
        good = false, number = NAME_BROKEN;
    good = builder_name(&in, rule.id, rule.at, number) && good;
    return builder_name(&in, rule.name, rule.at, number) && good;
}

bool sigma_builder_detection(SigmaBuilder *builder, const char *title, const Node *detection, uint32_t *ret_number) {
    SigmaAggregation aggregation = {0};
    builder->value_bytes = 0;
    SigmaCompile in = {.arena = builder->set->arena,
        .builder = builder,
        .problems = builder->problems,
        .options = builder->options,
        .title = arena_text(builder->set->arena, title)};
    const SigmaRule rule = {.title = in.title,
        .level = SIGMA_MEDIUM,
        .at = {arena_text(in.arena, detection->at.file), detection->at.line, detection->at.column}};
    const SigmaExpr *expr = read_detection(&in, detection, &aggregation);
    if (!expr) return false;
    if (aggregation.given)
        return sigma_problem(&in, node_get(detection, "condition")->at, "use the alarm's `count` and `group-by`",
            "`|` has no place in an alarm's condition");
    const uint32_t number = builder_add(&in, &rule, expr);
    if (number == UINT32_MAX) return false;
    return *ret_number = number, true;
}
