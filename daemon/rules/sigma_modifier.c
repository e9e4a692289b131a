#include "rules/sigma_modifier.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

static const char *const words[] = {"contains", "startswith", "endswith", "all", "cased", "neq", "exists", "re", "i",
    "m", "s", "cidr", "fieldref", "lt", "lte", "gt", "gte", "expand", "windash", "base64", "base64offset", "utf16le",
    "utf16be", "utf16", "wide", NULL};

/* Sigma's own that say nothing about CloudTrail's events, and what to write in their place. */
static const char *const later[] = {"minute", "hour", "day", "week", "month", "year", NULL};

#define BIT(modifier) (1u << MODIFIER_##modifier)
#define TEXT_SHAPES (BIT(CONTAINS) | BIT(STARTSWITH) | BIT(ENDSWITH))
#define ENCODINGS (BIT(BASE64) | BIT(BASE64OFFSET))
#define WIDE (BIT(UTF16LE) | BIT(UTF16BE) | BIT(UTF16))
#define BOUNDS (BIT(LT) | BIT(LTE) | BIT(GT) | BIT(GTE))

/* What may stand beside a modifier that decides what the value is. Plain texts take all of the first row. */
static const struct Company {
    unsigned who, beside;
} companies[] = {
    {BIT(EXISTS), 0},
    {BIT(RE), BIT(I) | BIT(M) | BIT(S) | BIT(ALL) | BIT(CASED) | BIT(NEQ) | BIT(EXPAND)},
    {BIT(CIDR), BIT(ALL) | BIT(NEQ) | BIT(EXPAND)},
    {BIT(FIELDREF), TEXT_SHAPES | BIT(CASED) | BIT(NEQ) | BIT(ALL)},
    {BOUNDS, BIT(ALL) | BIT(NEQ)},
    {BIT(I) | BIT(M) | BIT(S), BIT(RE) | BIT(I) | BIT(M) | BIT(S) | BIT(ALL) | BIT(CASED) | BIT(NEQ) | BIT(EXPAND)},
    {TEXT_SHAPES, BIT(FIELDREF) | BIT(ALL) | BIT(CASED) | BIT(NEQ) | BIT(EXPAND) | BIT(WINDASH) | ENCODINGS | WIDE},
};

static bool unknown(SigmaCompile *in, const Node *key, const char *word) {
    for (size_t i = 0; later[i]; i++)
        if (!strcmp(later[i], word))
            return sigma_problem(in, key->at, "compare the text: `eventTime|contains: 'T03:'`",
                "the modifier `%s` is not supported", word);
    const char *near = text_nearest(word, words);
    OWN(text) char *remedy = near ? text_format("did you mean `%s`?", near) : NULL;
    return sigma_problem(in, key->at, remedy ? remedy : "such as contains, startswith, endswith, re, cidr, cased, all",
        "unknown modifier `%.40s`", word);
}

static bool modifier_add(SigmaCompile *in, const Node *key, const char *word, SigmaKey *ret) {
    size_t i = 0;
    while (words[i] && strcmp(words[i], word)) i++;
    if (!words[i]) return unknown(in, key, word);
    if (i == MODIFIER_COUNT) i = MODIFIER_UTF16LE; /* `wide` */
    if (ret->count == MODIFIERS_MAX)
        return sigma_problem(in, key->at, "take some away", "more than %d modifiers at one field", MODIFIERS_MAX);
    ret->has[i] = true;
    ret->order[ret->count++] = (SigmaModifier)i;
    return true;
}

static bool go_together(SigmaCompile *in, const Node *key, const SigmaKey *read) {
    for (size_t c = 0; c < COUNT_OF(companies); c++) {
        for (size_t i = 0; i < read->count; i++) {
            if (!(companies[c].who & 1u << read->order[i])) continue;
            for (size_t j = 0; j < read->count; j++) {
                if (read->order[i] == read->order[j] || companies[c].beside & 1u << read->order[j]) continue;
                return sigma_problem(in, key->at, "write two parts, and join them in the condition",
                    "the modifiers `%s` and `%s` do not go together", words[read->order[i]], words[read->order[j]]);
            }
        }
    }
    return true;
}

/* The letters of `re` stand behind it; UTF-16 is no text that JSON could hold until Base64 has made one of it. */
static bool order_is_right(SigmaCompile *in, const Node *key, const SigmaKey *read) {
    bool re = false, wide = false;
    for (size_t i = 0; i < read->count; i++) {
        const unsigned bit = 1u << read->order[i];
        if (bit == BIT(RE)) re = true;
        if (bit & (BIT(I) | BIT(M) | BIT(S)) && !re)
            return sigma_problem(in, key->at, "such as `field|re|i`", "`%s` goes behind `re`", words[read->order[i]]);
        if (bit & WIDE) wide = true;
        if (bit & ENCODINGS) wide = false;
    }
    if (!wide) return true;
    return sigma_problem(in, key->at, "such as `field|wide|base64offset|contains`",
        "UTF-16 needs `base64` or `base64offset` behind it: no text of an event has zero bytes");
}

bool key_read(SigmaCompile *in, const Node *key, SigmaKey *ret_key) {
    *ret_key = (SigmaKey){0};
    if (key->length > SIGMA_FIELD_BYTES_MAX)
        return sigma_problem(in, key->at, "name a field of CloudTrail's", "a field's name is longer than %d bytes",
            SIGMA_FIELD_BYTES_MAX);
    char *field = arena_text(in->arena, key->text), *rest = strchr(field, '|');
    if (rest) *rest++ = '\0';
    bool good = true;
    for (char *word; (word = strsep(&rest, "|"));) good = modifier_add(in, key, word, ret_key) && good;
    ret_key->field = field;
    return good && go_together(in, key, ret_key) && order_is_right(in, key, ret_key);
}
