/* daemon/rules/matcher.c: a list of matchers: expressions compiled, matched, and shown; matcher_read.c reads text */
#include "rules/matcher.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/text.h"
#include "rules/matcher_read.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct Item {
    char *name, *value;
    pcre2_code *code; /* NULL: no expression */
    bool is_equal;
} Item;

struct Matchers {
    Item *items;
    size_t count;
    pcre2_match_context *limits; /* read only while matching */
};

Matchers *matchers_new(void) {
    Matchers *matchers = alloc_zeroed(1, sizeof *matchers);
    matchers->limits = pcre2_match_context_create(NULL);
    if (!matchers->limits) abort(); /* a small allocation, as in base/alloc */
    pcre2_set_match_limit(matchers->limits, MATCHER_MATCH_LIMIT);
    pcre2_set_depth_limit(matchers->limits, MATCHER_DEPTH_LIMIT);
    pcre2_set_heap_limit(matchers->limits, MATCHER_HEAP_KIB);
    return matchers;
}

static void shorten(Matchers *matchers, size_t count) {
    while (matchers->count > count) {
        Item *item = &matchers->items[--matchers->count];
        free(item->name);
        free(item->value);
        pcre2_code_free(item->code);
    }
}

Matchers *matchers_free(Matchers *matchers) {
    if (!matchers) return NULL;
    shorten(matchers, 0);
    pcre2_match_context_free(matchers->limits);
    free(matchers->items);
    free(matchers);
    return NULL;
}

/* Go's reading of an expression, as near as PCRE2 comes: a line ends at LF, `$` is the end. It is compiled without JIT:
 * that cannot work in the service's sandbox (MemoryDenyWriteExecute), and with it the limits would count otherwise. */
static pcre2_code *compile(const char *value, Fault *fault) {
    static const uint32_t options =
        PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context) abort();
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_set_max_pattern_length(context, MATCHER_VALUE_MAX);
    int error;
    PCRE2_SIZE at;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)value, strlen(value), options, &error, &at, context);
    pcre2_compile_context_free(context);
    if (code) return code;
    char why[128] = "";
    pcre2_get_error_message(error, (PCRE2_UCHAR *)why, sizeof why);
    fault_set(fault, value, at < strlen(value) ? at : strlen(value), "mend the regular expression, or write `=`",
        "the regular expression cannot be read: %s", why);
    return NULL;
}

static bool check_parts(const Matcher *matcher, Fault *fault) {
    const size_t name = strlen(matcher->name), value = strlen(matcher->value);
    if (!name) return fault_set(fault, "", 0, "a label's name", "a matcher has no name");
    if (name > LABEL_NAME_MAX)
        return fault_set(fault, "", 0, "a label's name", "a name is longer than %d bytes", LABEL_NAME_MAX);
    if (value > MATCHER_VALUE_MAX)
        return fault_set(fault, "", 0, "make it shorter", "a value is longer than %d bytes", MATCHER_VALUE_MAX);
    return (utf8_ok(matcher->name, name) && utf8_ok(matcher->value, value)) ||
        fault_set(fault, "", 0, "write it in UTF-8", "bytes that are no UTF-8");
}

bool matchers_add(Matchers *matchers, const Matcher *matcher, Fault *ret_fault) {
    if (matchers->count == MATCHERS_MAX)
        return fault_set(ret_fault, "", 0, "one regular expression can stand for many values",
            "more than %d matchers in one list", MATCHERS_MAX);
    if (!check_parts(matcher, ret_fault)) return false;
    Item item = {.is_equal = matcher->is_equal};
    if (matcher->is_regex && !(item.code = compile(matcher->value, ret_fault))) return false;
    item.name = text_copy(matcher->name);
    item.value = text_copy(matcher->value);
    matchers->items = alloc_again(matchers->items, matchers->count + 1, sizeof item);
    matchers->items[matchers->count++] = item;
    return true;
}

bool matchers_add_text(Matchers *matchers, const char *text, Fault *ret_fault) {
    const size_t before = matchers->count;
    if (matcher_read(matchers, text, ret_fault)) return true;
    shorten(matchers, before);
    return false;
}

size_t matchers_count(const Matchers *matchers) { return matchers->count; }

Matcher matchers_at(const Matchers *matchers, size_t index) {
    const Item *item = &matchers->items[index];
    return (Matcher){item->name, item->value, item->code != NULL, item->is_equal};
}

/* --- matching --- */

static bool expression_holds(const Matchers *matchers, const Item *item, const char *subject, unsigned *add_limits) {
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    if (!data) abort();
    const int result = pcre2_match(item->code, (PCRE2_SPTR)subject, strlen(subject), 0, 0, data, matchers->limits);
    pcre2_match_data_free(data);
    if (result >= 0) return item->is_equal;
    if (result == PCRE2_ERROR_NOMATCH) return !item->is_equal;
    if (add_limits) ++*add_limits; /* a limit, or a value that is no UTF-8 */
    return false;
}

static bool item_holds(const Matchers *matchers, const Item *item, const char *subject, unsigned *add_limits) {
    if (item->code) return expression_holds(matchers, item, subject, add_limits);
    return (strcmp(item->value, subject) == 0) == item->is_equal;
}

bool matchers_match(const Matchers *matchers, const Labels *labels, unsigned *add_limits) {
    for (size_t i = 0; i < matchers->count; i++) {
        const Item *item = &matchers->items[i];
        if (!item_holds(matchers, item, labels_get(labels, item->name), add_limits)) return false;
    }
    return true;
}

bool matchers_match_empty(const Matchers *matchers) { return matchers_match(matchers, NULL, NULL); }

static bool same_item(const Item *a, const Item *b) {
    return a->is_equal == b->is_equal && !a->code == !b->code && strcmp(a->name, b->name) == 0 &&
        strcmp(a->value, b->value) == 0;
}

static size_t times_in(const Matchers *matchers, const Item *wanted) {
    size_t times = 0;
    for (size_t i = 0; i < matchers->count; i++) times += same_item(&matchers->items[i], wanted);
    return times;
}

bool matchers_equal(const Matchers *a, const Matchers *b) {
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++)
        if (times_in(a, &a->items[i]) != times_in(b, &a->items[i])) return false;
    return true;
}

/* --- as JSON and as text --- */

static bool add_object(Matchers *matchers, const json_t *object, Fault *fault) {
    static const char *const remedy = "{\"name\": TEXT, \"value\": TEXT, \"isRegex\": false, \"isEqual\": true}";
    const char *name = json_text(object, "name"), *value = json_text(object, "value");
    const json_t *regex = json_object_get(object, "isRegex"), *equal = json_object_get(object, "isEqual");
    if (!name || !value) return fault_set(fault, "", 0, remedy, "a matcher needs `name` and `value`, as texts");
    if (!json_is_boolean(regex)) return fault_set(fault, "", 0, remedy, "a matcher needs `isRegex`, true or false");
    if (equal && !json_is_null(equal) && !json_is_boolean(equal))
        return fault_set(fault, "", 0, remedy, "`isEqual` of a matcher must be true or false");
    const Matcher matcher = {name, value, json_is_true(regex), !json_is_false(equal)};
    return matchers_add(matchers, &matcher, fault);
}

bool matchers_add_json(Matchers *matchers, const json_t *array, Fault *ret_fault) {
    const size_t before = matchers->count;
    if (!json_is_array(array)) return fault_set(ret_fault, "", 0, "a list of matchers", "`matchers` must be a list");
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (add_object(matchers, json_array_get(array, i), ret_fault)) continue;
        shorten(matchers, before);
        return false;
    }
    return true;
}

json_t *matchers_json(const Matchers *matchers) {
    json_t *array = json_array();
    for (size_t i = 0; i < matchers->count; i++) {
        const Matcher m = matchers_at(matchers, i);
        json_t *object = json_object();
        json_object_set_new(object, "name", json_safe(m.name));
        json_object_set_new(object, "value", json_safe(m.value));
        json_object_set_new(object, "isRegex", json_boolean(m.is_regex));
        json_object_set_new(object, "isEqual", json_boolean(m.is_equal));
        json_array_append_new(array, object);
    }
    return array;
}

static bool is_plain_name(const char *name) {
    if (isdigit((unsigned char)*name)) return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && *name != '_' && *name != ':') return false;
    return true;
}

static void add_quoted(Buffer *out, const char *text) {
    buffer_text(out, "\"");
    for (; *text; text++) {
        if (*text == '\n') {
            buffer_text(out, "\\n");
            continue;
        }
        if (*text == '"' || *text == '\\') buffer_text(out, "\\");
        buffer_add(out, text, 1);
    }
    buffer_text(out, "\"");
}

char *matchers_text(const Matchers *matchers) {
    static const char *const operators[2][2] = {{"!=", "="}, {"!~", "=~"}};
    /* each byte may need a backslash */
    Buffer out = BUFFER(2 * MATCHERS_MAX * (LABEL_NAME_MAX + MATCHER_VALUE_MAX + 8));
    buffer_text(&out, "{");
    for (size_t i = 0; i < matchers->count; i++) {
        const Matcher m = matchers_at(matchers, i);
        if (i) buffer_text(&out, ",");
        if (is_plain_name(m.name))
            buffer_text(&out, m.name);
        else
            add_quoted(&out, m.name);
        buffer_text(&out, operators[m.is_regex][m.is_equal]);
        add_quoted(&out, m.value);
    }
    buffer_text(&out, "}");
    return buffer_take(&out);
}
