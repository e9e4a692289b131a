/* Does an event meet a rule? */
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"
#include "rules/sigma_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int collect(const char *bytes, size_t length, void *into) { return buffer_add(into, bytes, length) ? 0 : -1; }

/* A JSON value as the text that a rule sees. */
typedef struct Subject {
    const char *text;
    size_t length;
    char number[NUMBER_TEXT_MAX];
    Buffer dumped;
} Subject;

static void subject_make(Subject *ret, const json_t *value) {
    ret->dumped = BUFFER(SIZE_MAX / 4);
    ret->text = "";
    switch (json_typeof(value)) {
    case JSON_STRING:
        ret->text = json_string_value(value);
        ret->length = json_string_length(value);
        return;
    case JSON_INTEGER:
        snprintf(ret->number, sizeof ret->number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        ret->text = ret->number;
        break;
    case JSON_REAL: ret->text = number_format(json_real_value(value), ret->number); break;
    case JSON_TRUE: ret->text = "true"; break;
    case JSON_FALSE: ret->text = "false"; break;
    case JSON_NULL: break;
    case JSON_OBJECT:
    case JSON_ARRAY:
        json_dump_callback(value, collect, &ret->dumped, JSON_COMPACT);
        ret->text = buffer_string(&ret->dumped);
        ret->length = ret->dumped.used;
        return;
    }
    ret->length = strlen(ret->text);
}

static bool regex_holds(SigmaScratch *scratch, const SigmaValue *value, const Subject *subject) {
    if (!scratch->room) scratch->room = regex_room_new();
    const bool tired = scratch->regex_limits == SIGMA_EVENT_REGEX_LIMITS_MAX;
    const RegexAnswer answer =
        tired ? REGEX_LIMIT : regex_search(value->regex, scratch->room, subject->text, subject->length);
    if (answer == REGEX_LIMIT) {
        scratch->regex_limits += !tired;
        scratch->limits.regex++;
        scratch->limits.rule = scratch->rule;
    }
    return answer == REGEX_YES;
}

static bool number_of(const json_t *value, double *ret) {
    if (json_is_number(value)) return *ret = json_number_value(value), true;
    return json_is_string(value) && number_parse(json_string_value(value), ret);
}

static bool compares(const SigmaValue *value, const json_t *subject) {
    double number;
    if (!number_of(subject, &number)) return false;
    switch (value->kind) {
    case VALUE_LESS: return number < value->number;
    case VALUE_LESS_EQUAL: return number <= value->number;
    case VALUE_GREATER: return number > value->number;
    default: return number >= value->number;
    }
}

static bool is_text_kind(SigmaValueKind kind) {
    return kind == VALUE_GLOB || kind == VALUE_REGEX || kind == VALUE_NETWORK;
}

/* A value that is no object, or an object as its JSON text. */
static bool text_holds(SigmaScratch *scratch, const SigmaValue *value, const json_t *json) {
    Subject subject;
    subject_make(&subject, json);
    bool holds = false;
    if (value->kind == VALUE_GLOB) holds = glob_holds(&value->glob, subject.text, subject.length);
    if (value->kind == VALUE_REGEX) holds = regex_holds(scratch, value, &subject);
    if (value->kind == VALUE_NETWORK) holds = network_holds(&value->network, subject.text, subject.length);
    buffer_deinit(&subject.dumped);
    return holds;
}

static bool any_text_holds(SigmaScratch *scratch, const SigmaValue *value, const json_t *json) {
    const char *key;
    json_t *inner;
    size_t i;
    if (json_is_string(json)) return text_holds(scratch, value, json);
    json_array_foreach(json, i, inner)
        if (any_text_holds(scratch, value, inner)) return true;
    json_object_foreach((json_t *)(uintptr_t)json, key, inner)
        if (any_text_holds(scratch, value, inner)) return true;
    return false;
}

/* The object's JSON, or a text in it: a policy is a text inside of which quotes are not escaped. */
static bool object_holds(SigmaScratch *scratch, const SigmaValue *value, const json_t *object) {
    const SigmaGlobKind kind = value->kind == VALUE_GLOB ? value->glob.kind : GLOB_MIXED;
    if (value->kind == VALUE_NETWORK || kind == GLOB_EXACT) return false;
    if (text_holds(scratch, value, object)) return true;
    return (kind == GLOB_CONTAINS || kind == GLOB_MIXED) && any_text_holds(scratch, value, object);
}

bool value_holds(SigmaScratch *scratch, const SigmaValue *value, const json_t *json) {
    if (json_is_null(json)) return false;
    if (value->kind >= VALUE_LESS && value->kind <= VALUE_GREATER_EQUAL) return compares(value, json);
    if (!is_text_kind(value->kind)) return false;
    if (json_is_object(json)) return object_holds(scratch, value, json);
    if (value->has_number && json_is_number(json) && json_number_value(json) == value->number) return true;
    return text_holds(scratch, value, json);
}

/* Does the other field hold a text that lies in ours as `value->relation` says? */
static bool relates(SigmaScratch *scratch, const SigmaValue *value, const json_t *ours) {
    const SigmaFound found = *event_find(scratch, value->field);
    bool holds = false;
    Subject mine, other;
    if (json_is_null(ours) || json_is_object(ours)) return false;
    subject_make(&mine, ours);
    for (size_t i = 0; i < found.count && !holds; i++) {
        const json_t *theirs = scratch->values[found.start + i];
        if (json_is_null(theirs) || json_is_object(theirs)) continue;
        subject_make(&other, theirs);
        OWN(text) char *folded = text_copy_length(other.text, other.length);
        for (size_t c = 0; c < other.length && !value->cased; c++) folded[c] = fold_byte(folded[c]);
        const SigmaGlob glob = {value->relation, value->cased, folded, NULL, other.length};
        holds = glob_holds(&glob, mine.text, mine.length);
    }
    return holds;
}

static bool any_holds(SigmaScratch *scratch, uint32_t field, const SigmaValue *value) {
    const SigmaFound found = *event_find(scratch, field);
    if (value->kind == VALUE_EXISTS) return found.present == value->wanted;
    if (value->kind == VALUE_NULL && !found.present) return true;
    for (size_t i = 0; i < found.count; i++) {
        const json_t *subject = scratch->values[found.start + i];
        const bool holds = value->kind == VALUE_NULL ? json_is_null(subject)
            : value->kind == VALUE_FIELD             ? relates(scratch, value, subject)
                                                     : value_holds(scratch, value, subject);
        if (holds) return true;
    }
    return false;
}

/* Among the sorted plain values of a test; cased and uncased never stand in one. */
static bool exact_holds(const SigmaTest *test, const json_t *json) {
    Subject subject;
    if (json_is_null(json) || json_is_object(json)) return false;
    subject_make(&subject, json);
    size_t low = 0, high = test->exact;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = glob_compare(&test->values[middle].glob, subject.text, subject.length);
        if (!order) return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (!json_is_number(json)) return false;
    for (size_t i = 0; i < test->exact; i++)
        if (test->values[i].has_number && test->values[i].number == json_number_value(json)) return true;
    return false;
}

static bool test_holds(SigmaScratch *scratch, const SigmaTest *test) {
    bool holds = test->all && test->count;
    if (test->all)
        for (size_t i = 0; i < test->count && holds; i++) holds = any_holds(scratch, test->field, &test->values[i]);
    if (test->exact) {
        const SigmaFound *found = event_find(scratch, test->field);
        for (size_t i = 0; i < found->count && !holds; i++)
            holds = exact_holds(test, scratch->values[found->start + i]);
    }
    for (size_t i = test->exact; i < test->count && !holds && !test->all; i++)
        holds = any_holds(scratch, test->field, &test->values[i]);
    return holds != test->negated;
}

bool expr_holds(SigmaScratch *scratch, const SigmaExpr *expr) {
    switch (expr->kind) {
    case EXPR_AND:
        for (size_t i = 0; i < expr->count; i++)
            if (!expr_holds(scratch, expr->kids[i])) return false;
        return true;
    case EXPR_OR:
        for (size_t i = 0; i < expr->count; i++)
            if (expr_holds(scratch, expr->kids[i])) return true;
        return false;
    case EXPR_NOT: return !expr_holds(scratch, expr->kids[0]);
    case EXPR_TEST: return test_holds(scratch, expr->test);
    }
    return false;
}

/* --- the scratch, and one event through the index --- */

SigmaScratch *sigma_scratch_new(const SigmaSet *set) {
    SigmaScratch *scratch = alloc_zeroed(1, sizeof *scratch);
    scratch->set = set;
    scratch->found = alloc_zeroed(set->field_count + 1, sizeof *scratch->found);
    scratch->seen = alloc_zeroed(set->count + 1, sizeof *scratch->seen);
    scratch->matches = alloc_zeroed(set->count + 1, sizeof *scratch->matches);
    scratch->folded = alloc_zeroed(set->index.longest + 1, 1);
    scratch->limits.rule = UINT32_MAX;
    return scratch;
}

SigmaScratch *sigma_scratch_free(SigmaScratch *scratch) {
    if (!scratch) return NULL;
    free(scratch->found);
    free((void *)scratch->values);
    free(scratch->seen);
    free(scratch->matches);
    free(scratch->folded);
    regex_room_free(scratch->room);
    free(scratch);
    return NULL;
}

SigmaLimits sigma_scratch_limits(const SigmaScratch *scratch) { return scratch->limits; }

static void next_event(SigmaScratch *scratch, const json_t *event) {
    scratch->event = event;
    scratch->value_count = scratch->match_count = scratch->regex_limits = 0;
    if (++scratch->stamp) return;
    memset(scratch->found, 0, (scratch->set->field_count + 1) * sizeof *scratch->found);
    memset(scratch->seen, 0, scratch->set->count * sizeof *scratch->seen);
    scratch->stamp = 1;
}

static void evaluate(SigmaScratch *scratch, uint32_t number) {
    if (scratch->seen[number] == scratch->stamp) return;
    scratch->seen[number] = scratch->stamp;
    scratch->rule = number;
    if (expr_holds(scratch, scratch->set->entries[number].expr)) scratch->matches[scratch->match_count++] = number;
}

/* The rules that insist on this value of an indexed field. */
static void look_up(SigmaScratch *scratch, const SigmaBucket *table, const json_t *value) {
    Subject subject;
    SigmaBucket *bucket = NULL;
    if (json_is_null(value) || json_is_object(value)) return;
    subject_make(&subject, value);
    if (subject.length > scratch->set->index.longest) return;
    for (size_t i = 0; i < subject.length; i++) scratch->folded[i] = fold_byte(subject.text[i]);
    HASH_FIND(hh, table, scratch->folded, subject.length, bucket);
    for (size_t i = 0; bucket && i < bucket->count; i++) evaluate(scratch, bucket->rules[i]);
}

static int ascending(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

size_t sigma_set_match(const SigmaSet *set, const json_t *event, SigmaScratch *scratch, const uint32_t **ret_numbers) {
    const SigmaIndex *index = &set->index;
    *ret_numbers = scratch->matches;
    next_event(scratch, event);
    if (!json_is_object(event)) return 0;
    for (size_t i = 0; i < index->field_count; i++) {
        const SigmaFound found = *event_find(scratch, index->fields[i].field);
        for (size_t v = 0; v < found.count; v++)
            look_up(scratch, index->fields[i].table, scratch->values[found.start + v]);
    }
    for (size_t i = 0; i < index->loose_count; i++) evaluate(scratch, index->loose[i]);
    if (scratch->match_count > 1) qsort(scratch->matches, scratch->match_count, sizeof *scratch->matches, ascending);
    scratch->event = NULL;
    return scratch->match_count;
}
