/* daemon/sources/metric_words.c: what CloudWatch says of a call, in the names that stand in the user's file. In a call
 * queries have ids of Tocsin's own (`m6`, `z5`), and CloudWatch speaks of those. */
#include "base/buffer.h"
#include "base/text.h"
#include "sources/cloudwatch.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 600 /* bytes */, NAMED_MAX = WORDS_MAX * MATH_ID_MAX, ID_DIGITS_MAX = 6 };

/* Words, and the call that they speak of. */
typedef struct Said {
    const MetricBatch *batch;
    const bool *asked; /* [query]; NULL: all were */
    const char *words;
} Said;

/* Whose query it is, and which of its metrics or expressions. */
typedef struct Asked {
    const MetricReader *reader;
    size_t item; /* math alone */
} Asked;

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* `m6` and `m6.large` differ: a dot with something behind it makes a longer name. */
static bool stands_alone(const char *words, const char *token, size_t length) {
    const bool goes_on = token[length] == '.' && is_word(token[length + 1]);
    return !goes_on && (token == words || token[-1] != '.');
}

static bool query_has_id(const MetricQuery *query, size_t number, const char *token, size_t length) {
    if (query->id) return strlen(query->id) == length && strncmp(query->id, token, length) == 0;
    if (token[0] != 'm' || length < 2 || length > 1 + ID_DIGITS_MAX || !isdigit((unsigned char)token[1])) return false;
    char *end;
    return strtoul(token + 1, &end, 10) == number && end == token + length;
}

static size_t query_find(const Said *said, const char *token, size_t length) {
    for (size_t i = 0; i < said->batch->query_count; i++)
        if ((!said->asked || said->asked[i]) && query_has_id(&said->batch->queries[i], i, token, length)) return i;
    return METRIC_NO_QUERY;
}

static bool asked_of(const MetricBatch *batch, size_t query, Asked *ret) {
    for (size_t i = 0; i < batch->reader_count; i++) {
        const MetricReader *reader = &batch->readers[i];
        const bool is_in = reader->math ? query >= reader->first && query - reader->first < reader->count
                                        : query == reader->values || query == reader->counts;
        if (!is_in) continue;
        *ret = (Asked){.reader = reader, .item = reader->math ? query - reader->first : 0};
        return true;
    }
    return false;
}

/* The next word that is one of the call's ids, from `at` on; NULL: none is left. */
static const char *next_id(const Said *said, const char *at, size_t *ret_length, Asked *ret_asked) {
    while (*at) {
        size_t length = 0;
        while (is_word(at[length])) length++;
        const size_t query =
            length && stands_alone(said->words, at, length) ? query_find(said, at, length) : METRIC_NO_QUERY;
        if (query != METRIC_NO_QUERY && asked_of(said->batch, query, ret_asked)) {
            *ret_length = length;
            return at;
        }
        at += length ? length : 1;
    }
    return NULL;
}

static const char *name_of(const Asked *asked) {
    const MetricReader *reader = asked->reader;
    return reader->math ? math_item(reader->math, asked->item)->id : reader->selector->metric_name;
}

const char *metric_words(Arena *arena, const MetricBatch *batch, const bool *asked_for, const char *words) {
    const Said said = {batch, asked_for, arena_text_length(arena, words, utf8_cut(words, strlen(words), WORDS_MAX))};
    const char *copied = said.words;
    Buffer out = BUFFER(NAMED_MAX);
    size_t length;
    Asked asked;
    for (const char *at = said.words; (at = next_id(&said, at, &length, &asked)); at += length) {
        buffer_add(&out, copied, (size_t)(at - copied));
        buffer_text(&out, name_of(&asked));
        copied = at + length;
    }
    buffer_text(&out, copied);
    const char *text = arena_text(arena, buffer_string(&out));
    buffer_deinit(&out);
    return text;
}

/* Which of the reader's own entries the words name. */
static bool names_own(const Said *said, const MetricReader *reader, Asked *ret) {
    size_t length;
    for (const char *at = said->words; (at = next_id(said, at, &length, ret)); at += length)
        if (ret->reader == reader) return true;
    return false;
}

static const char *at_place(Arena *arena, const Place *at) {
    return at->file ? arena_format(arena, "%s:%u:%u: ", at->file, at->line, at->column) : "";
}

static const Place *place_of(const Asked *asked) {
    const MetricReader *reader = asked->reader;
    return reader->math ? &math_item(reader->math, asked->item)->at : &reader->selector->at;
}

static bool is_expression(const Asked *asked) {
    return asked->reader->math && math_item(asked->reader->math, asked->item)->expression;
}

const char *metric_refusal(
    Arena *arena, const MetricBatch *batch, const bool *asked_for, const MetricReader *reader, const char *words) {
    Asked asked;
    const bool is_named = words && names_own(&(Said){batch, asked_for, words}, reader, &asked);
    if (!is_named) asked = (Asked){.reader = reader, .item = reader->math ? reader->math->returned : 0};
    const bool is_only = !reader->math || reader->count == 1;
    const char *what = is_named || is_only
        ? arena_format(arena, "the %s `%s`", is_expression(&asked) ? "expression" : "metric", name_of(&asked))
        : "what this alarm asks for";
    const char *place = at_place(arena, place_of(&asked));
    if (!words) return arena_format(arena, "%sCloudWatch refused %s; it is asked again in a later poll", place, what);
    return arena_format(
        arena, "%sCloudWatch refused %s: %s", place, what, metric_words(arena, batch, asked_for, words));
}

const char *metric_refusal_shared(Arena *arena, const MetricBatch *batch, const bool *asked, const char *words) {
    return arena_format(arena, "CloudWatch refused the call that this alarm shares with others: %s",
        metric_words(arena, batch, asked, words));
}
