/* `field|modifiers: values` to a test. Modifiers change a value in the order in which they are written. */
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/text.h"
#include "rules/sigma_modifier.h"

#include <stdlib.h>
#include <string.h>

/* A test while its values come in. */
typedef struct Item {
    SigmaCompile *in;
    SigmaKey key;
    SigmaValue *values;
    size_t count, expansions;
} Item;

static bool push(Item *item, Place at, SigmaValue value) {
    if (item->in->values == SIGMA_VALUES_MAX)
        return sigma_problem(item->in, at, "split the rule", "more than %d values in one rule", SIGMA_VALUES_MAX);
    item->in->values++;
    if ((item->count & (item->count - 1)) == 0)
        item->values = alloc_again(item->values, item->count ? 2 * item->count : 1, sizeof *item->values);
    item->values[item->count++] = value;
    return true;
}

static bool count_bytes(Item *item, Place at, size_t bytes) {
    if (sigma_count_bytes(item->in->builder, bytes)) return true;
    return sigma_problem(item->in, at, "split the file, or use shorter placeholders",
        "the values of one file are longer than %d bytes together", SIGMA_FILE_VALUES_BYTES_MAX);
}

/* --- placeholders: `%name%`, with `\%` for a percent sign --- */

static const SigmaPlaceholder *placeholder_find(const SigmaOptions *options, const char *name, size_t length) {
    for (size_t i = 0; i < options->placeholder_count; i++) {
        const SigmaPlaceholder *it = &options->placeholders[i];
        if (strlen(it->name) == length && !memcmp(it->name, name, length)) return it;
    }
    return NULL;
}

static bool unknown_placeholder(Item *item, Place at, const char *name, size_t length) {
    const SigmaOptions *options = item->in->options;
    const char **names = alloc_zeroed(options->placeholder_count + 1, sizeof *names);
    for (size_t i = 0; i < options->placeholder_count; i++) names[i] = options->placeholders[i].name;
    OWN(text) char *word = text_copy_length(name, length);
    const char *near = text_nearest(word, names);
    OWN(text)
    char *remedy = near ? text_format("did you mean `%%%s%%`?", near)
                        : text_format("say what it stands for in `sigma.placeholders`: %s: [...]", word);
    free((void *)names);
    return sigma_problem(item->in, at, remedy, "the placeholder `%%%.80s%%` is not known", word);
}

typedef bool Taker(Item *item, Place at, const char *text, size_t length);

/* Text whose placeholders are filled up to `done`; each of a placeholder's values makes a text of its own. */
static bool expand(Item *item, Place at, const char *given, size_t done, Taker *take) {
    OWN(text) char *text = text_copy(given);
    size_t start = done;
    for (; text[start] && text[start] != '%'; start++)
        if (text[start] == '\\' && text[start + 1] == '%')
            memmove(text + start, text + start + 1, strlen(text + start));
    const char *end = text[start] ? strchr(text + start + 1, '%') : NULL;
    if (!end) return take(item, at, text, strlen(text));
    const size_t length = (size_t)(end - text) - start - 1;
    const SigmaPlaceholder *found = placeholder_find(item->in->options, text + start + 1, length);
    if (!found) return unknown_placeholder(item, at, text + start + 1, length);
    for (size_t i = 0; i < found->count; i++) {
        OWN(text) char *filled = text_format("%.*s%s%s", (int)start, text, found->values[i], end + 1);
        if (++item->expansions > SIGMA_VALUES_MAX || strlen(filled) > SIGMA_VALUE_BYTES_MAX)
            return sigma_problem(item->in, at, "use fewer and shorter ones",
                "placeholders make more than %d texts, or a longer one than %d bytes", SIGMA_VALUES_MAX,
                SIGMA_VALUE_BYTES_MAX);
        if (!count_bytes(item, at, strlen(filled))) return false;
        if (!expand(item, at, filled, start + strlen(found->values[i]), take)) return false;
    }
    return true;
}

/* --- encodings --- */

static bool no_wildcard(Item *item, Place at) {
    return sigma_problem(item->in, at, "write `\\*` and `\\?` for the characters themselves",
        "a value with a wildcard cannot be encoded");
}

static SigmaGlyphs utf16(Item *item, SigmaModifier modifier, const char *bytes, size_t length) {
    OWN(buffer) Buffer out = BUFFER(4 * SIGMA_VALUE_BYTES_MAX);
    if (modifier == MODIFIER_UTF16) buffer_add(&out, "\xff\xfe", 2);
    uint32_t code = 0;
    for (size_t i = 0, step; i < length; i += step) {
        step = utf8_step(bytes + i, length - i, &code);
        if (!step) step = 1;
        const uint32_t high = code >= 0x10000 ? 0xd800 + ((code - 0x10000) >> 10) : 0;
        const uint32_t units[] = {high, high ? 0xdc00 + ((code - 0x10000) & 0x3ff) : code};
        for (size_t u = high ? 0 : 1; u < 2; u++) {
            const char first = (char)(units[u] & 0xff), second = (char)(units[u] >> 8);
            const char pair[] = {
                modifier == MODIFIER_UTF16BE ? second : first, modifier == MODIFIER_UTF16BE ? first : second};
            buffer_add(&out, pair, 2);
        }
    }
    return glyphs_literal(item->in->arena, buffer_string(&out), out.used);
}

/* What stays the same in Base64 wherever the text begins: without the digits that share a bit with a neighbour. */
static SigmaGlyphs base64_shifted(Item *item, const char *bytes, size_t length, size_t shift) {
    static const size_t first[] = {0, 2, 3}, last[] = {0, 3, 2};
    OWN(buffer) Buffer shifted = BUFFER(4 * SIGMA_VALUE_BYTES_MAX);
    buffer_add(&shifted, "  ", shift);
    buffer_add(&shifted, bytes, length);
    OWN(text) char *digits = base64_encode(buffer_string(&shifted), shifted.used);
    const size_t all = strlen(digits), cut = first[shift] + last[shifted.used % 3];
    return glyphs_literal(item->in->arena, digits + first[shift], all > cut ? all - cut : 0);
}

static bool finish(Item *item, Place at, SigmaGlyphs glyphs, const char *plain) {
    const bool *has = item->key.has;
    const bool keyword = !*item->key.field && !has[MODIFIER_STARTSWITH] && !has[MODIFIER_ENDSWITH];
    const bool contains = has[MODIFIER_CONTAINS] || keyword;
    SigmaValue value = {.kind = VALUE_GLOB};
    glyphs =
        glyphs_wrap(item->in->arena, glyphs, contains || has[MODIFIER_ENDSWITH], contains || has[MODIFIER_STARTSWITH]);
    value.glob = glob_make(item->in->arena, glyphs, has[MODIFIER_CASED]);
    value.has_number = plain && value.glob.kind == GLOB_EXACT && number_parse(plain, &value.number);
    return push(item, at, value);
}

/* From the `from`th modifier on, over one value. */
static bool encode(Item *item, Place at, SigmaGlyphs glyphs, size_t from, const char *plain) {
    for (size_t i = from; i < item->key.count; i++) {
        const SigmaModifier modifier = item->key.order[i];
        if (modifier == MODIFIER_WINDASH) glyphs = glyphs_windash(item->in->arena, glyphs);
        if (modifier < MODIFIER_BASE64) continue;
        size_t length = 0;
        const char *bytes = glyphs_bytes(item->in->arena, glyphs, &length);
        if (!bytes) return no_wildcard(item, at);
        plain = NULL;
        if (modifier >= MODIFIER_UTF16LE) {
            glyphs = utf16(item, modifier, bytes, length);
        } else if (modifier == MODIFIER_BASE64) {
            OWN(text) char *digits = base64_encode(bytes, length);
            glyphs = glyphs_literal(item->in->arena, digits, strlen(digits));
        } else {
            for (size_t shift = 0; shift < 3; shift++)
                if (!encode(item, at, base64_shifted(item, bytes, length, shift), i + 1, NULL)) return false;
            return true;
        }
    }
    return finish(item, at, glyphs, plain);
}

/* --- one value of each kind --- */

static bool take_text(Item *item, Place at, const char *text, size_t length) {
    return encode(item, at, glyphs_parse(item->in->arena, text, length), 0, text);
}

static bool take_regex(Item *item, Place at, const char *text, size_t length) {
    char flags[4] = "";
    Error err = {0};
    for (size_t i = MODIFIER_I; i <= MODIFIER_S; i++)
        if (item->key.has[i]) strcat(flags, i == MODIFIER_I ? "i" : i == MODIFIER_M ? "m" : "s");
    SigmaRegex *regex = regex_new(text, length, flags, &err);
    if (!regex)
        return sigma_problem(
            item->in, at, "mend the pattern; it is PCRE2's", "the pattern `%.80s`: %s", text, err.text);
    const SigmaRegex *kept = sigma_keep_regex(item->in->builder, regex);
    if (!kept)
        return sigma_problem(item->in, at, "use fewer, or wildcards", "all patterns together take more than %d bytes",
            SIGMA_REGEX_BYTES_MAX);
    return push(item, at, (SigmaValue){.kind = VALUE_REGEX, .regex = kept});
}

static bool take_network(Item *item, Place at, const char *text, size_t length) {
    SigmaValue value = {.kind = VALUE_NETWORK};
    (void)length;
    if (!network_parse(text, &value.network))
        return sigma_problem(item->in, at, "such as 10.0.0.0/8 or fc00::/7", "`%.80s` is no block of addresses", text);
    return push(item, at, value);
}

static bool take_field(Item *item, Place at, const char *text, size_t length) {
    const bool *has = item->key.has;
    (void)length;
    if (!*text || strchr(text, '|'))
        return sigma_problem(item->in, at, "the name alone, its modifiers at the key", "`%.80s` names no field", text);
    return push(item, at,
        (SigmaValue){.kind = VALUE_FIELD,
            .field = sigma_field(item->in->builder, text),
            .cased = has[MODIFIER_CASED],
            .relation = has[MODIFIER_CONTAINS] ? GLOB_CONTAINS
                : has[MODIFIER_STARTSWITH]     ? GLOB_PREFIX
                : has[MODIFIER_ENDSWITH]       ? GLOB_SUFFIX
                                               : GLOB_EXACT});
}

static bool take_bound(Item *item, const Node *node) {
    const bool *has = item->key.has;
    SigmaValue value = {.kind = has[MODIFIER_LT] ? VALUE_LESS
            : has[MODIFIER_LTE]                  ? VALUE_LESS_EQUAL
            : has[MODIFIER_GT]                   ? VALUE_GREATER
                                                 : VALUE_GREATER_EQUAL};
    if (!number_parse(node->text, &value.number))
        return sigma_problem(item->in, node->at, "a number", "`%.80s` cannot be compared by size", node->text);
    return push(item, node->at, value);
}

static bool take_exists(Item *item, const Node *node) {
    static const char *const yes[] = {"true", "True", "TRUE", "yes"}, *const no[] = {"false", "False", "FALSE", "no"};
    for (size_t i = 0; i < COUNT_OF(yes); i++) {
        const bool wanted = !strcmp(node->text, yes[i]);
        if (!wanted && strcmp(node->text, no[i])) continue;
        return push(item, node->at, (SigmaValue){.kind = VALUE_EXISTS, .wanted = wanted});
    }
    return sigma_problem(item->in, node->at, "true or false", "`exists` cannot be `%.80s`", node->text);
}

static bool take_null(Item *item, const Node *node) {
    for (size_t i = 0; i < item->key.count; i++) {
        const SigmaModifier modifier = item->key.order[i];
        if (modifier == MODIFIER_ALL || modifier == MODIFIER_CASED || modifier == MODIFIER_NEQ) continue;
        return sigma_problem(
            item->in, node->at, "quote it if the word itself is meant", "null has no text for a modifier to work on");
    }
    if (!*item->key.field) return sigma_problem(item->in, node->at, "a text", "null cannot be searched for");
    return push(item, node->at, (SigmaValue){.kind = VALUE_NULL});
}

static bool take_node(Item *item, const Node *node) {
    const bool *has = item->key.has;
    if (node->kind != NODE_SCALAR)
        return sigma_problem(item->in, node->at, "join the names with dots: `userIdentity.type: Root`",
            "a field's value must be a text, a number, true, false, null, or a list of them");
    if (node->length > SIGMA_VALUE_BYTES_MAX)
        return sigma_problem(
            item->in, node->at, "make it shorter", "a value is longer than %d bytes", SIGMA_VALUE_BYTES_MAX);
    if (!count_bytes(item, node->at, node->length)) return false;
    if (has[MODIFIER_EXISTS]) return take_exists(item, node);
    if (has[MODIFIER_LT] || has[MODIFIER_LTE] || has[MODIFIER_GT] || has[MODIFIER_GTE]) return take_bound(item, node);
    if (node_is_null(node)) return take_null(item, node);
    Taker *take = has[MODIFIER_RE] ? take_regex
        : has[MODIFIER_CIDR]       ? take_network
        : has[MODIFIER_FIELDREF]   ? take_field
                                   : take_text;
    if (has[MODIFIER_EXPAND]) return expand(item, node->at, node->text, 0, take);
    return take(item, node->at, node->text, node->length);
}

/* --- the test --- */

static int by_text(const void *a, const void *b) {
    const SigmaValue *x = a, *y = b;
    return glob_compare(&x->glob, y->glob.text, y->glob.length);
}

/* Plain values go first, sorted, so that a long list is searched and not walked. */
static void sort_exact(SigmaTest *test) {
    for (size_t i = 0; i < test->count; i++) {
        const SigmaValue value = test->values[i];
        if (value.kind != VALUE_GLOB || value.glob.kind != GLOB_EXACT) continue;
        test->values[i] = test->values[test->exact];
        test->values[test->exact++] = value;
    }
    qsort(test->values, test->exact, sizeof *test->values, by_text);
}

static const SigmaExpr *item_finish(Item *item, bool good) {
    SigmaTest *test = arena_alloc(item->in->arena, 1, sizeof *test);
    const bool *has = item->key.has;
    *test = (SigmaTest){.field = *item->key.field ? sigma_field(item->in->builder, item->key.field) : FIELD_KEYWORDS,
        .all = has[MODIFIER_ALL],
        .negated = has[MODIFIER_NEQ],
        .count = item->count,
        .values = arena_alloc(item->in->arena, item->count, sizeof *test->values)};
    if (item->count) memcpy(test->values, item->values, item->count * sizeof *test->values);
    free(item->values);
    if (!test->all) sort_exact(test);
    SigmaExpr *expr = expr_new(item->in->arena, EXPR_TEST, NULL, 0);
    expr->test = test;
    return good ? expr : NULL;
}

const SigmaExpr *keywords_read(SigmaCompile *in, const Node *const *values, size_t count) {
    Item item = {.in = in, .key = {.field = ""}};
    bool good = true;
    for (size_t i = 0; i < count; i++) good = take_node(&item, values[i]) && good;
    return item_finish(&item, good);
}

const SigmaExpr *item_read(SigmaCompile *in, const NodeEntry *entry) {
    Item item = {.in = in};
    const Node *value = entry->value;
    if (!key_read(in, entry->key, &item.key)) return NULL;
    const bool *has = item.key.has;
    if (!*item.key.field && (has[MODIFIER_EXISTS] || has[MODIFIER_FIELDREF]))
        return sigma_problem(in, entry->key->at, "name a field", "this modifier needs a field before it"), NULL;
    if (value->kind == NODE_LIST && !value->count)
        return sigma_problem(in, value->at, "give one, or take the field away", "a list without a value"), NULL;
    bool good = true;
    if (value->kind == NODE_LIST)
        for (size_t i = 0; i < value->count; i++) good = take_node(&item, value->items[i]) && good;
    else
        good = take_node(&item, value);
    return item_finish(&item, good);
}
