#include "notify/interval_section.h"

#include "base/alloc.h"
#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_MINUTES = 1440, LONGEST_MONTH = 31, WORD_MAX = 16 };

/* --- one field's items: `monday`, `1:5`, `may:august` --- */

typedef struct Field {
    const char *key;
    const char *const *names; /* whole, lower case, in order; ends at NULL. NULL: numbers alone */
    int name_base; /* the first name's number */
    int min, max; /* of numbers; both 0: names alone */
    bool from_end; /* -1 to -max count from the end */
    const char *remedy;
} Field;

static const char *const weekday_names[] = {
    "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", NULL};
static const char *const month_names[] = {"january", "february", "march", "april", "may", "june", "july", "august",
    "september", "october", "november", "december", NULL};

static const Field weekdays_field = {.key = "weekdays",
    .names = weekday_names,
    .remedy = "a day's whole name, or a range such as 'monday:friday'; a week begins on Sunday"};
static const Field days_field = {.key = "days_of_month",
    .min = 1,
    .max = LONGEST_MONTH,
    .from_end = true,
    .remedy = "1 to 31, or -1 for the month's last to -31, or a range such as '1:5' or '-3:-1'"};
static const Field months_field = {.key = "months",
    .names = month_names,
    .name_base = 1,
    .min = 1,
    .max = 12,
    .remedy = "a month's whole name, or 1 to 12, or a range such as 'may:august'"};
static const Field years_field = {
    .key = "years", .min = 1, .max = 9998, .remedy = "a year, or a range such as '2026:2028'"};

static bool name_value(const Field *field, const char *word, int *ret_value) {
    for (int i = 0; field->names && field->names[i]; i++) {
        if (strcmp(word, field->names[i]) != 0) continue;
        *ret_value = field->name_base + i;
        return true;
    }
    return false;
}

static bool number_value(const Field *field, const char *word, int *ret_value) {
    const bool negative = *word == '-' && field->from_end;
    const char *digits = word + negative;
    const size_t length = strlen(digits);
    if (!field->max || !length || length > 4 || digits[strspn(digits, "0123456789")]) return false;
    const int value = atoi(digits); /* at most four digits */
    if (value < field->min || value > field->max) return false;
    *ret_value = negative ? -value : value;
    return true;
}

/* Case does not matter, as in Alertmanager. */
static bool read_word(const Field *field, const char *text, size_t length, char word[static WORD_MAX], int *ret_value) {
    if (length >= WORD_MAX) return false;
    for (size_t i = 0; i < length; i++) word[i] = (char)tolower((unsigned char)text[i]);
    word[length] = '\0';
    return name_value(field, word, ret_value) || number_value(field, word, ret_value);
}

static bool refuse_word(const Field *field, const char *text, const char *word, Place at, Decoding *in) {
    const char *near = field->names ? text_nearest(word, field->names) : NULL;
    OWN(text) char *remedy = near ? text_format("did you mean `%s`?", near) : text_copy(field->remedy);
    const int shown = (int)utf8_cut(text, strlen(text), 80);
    return problem_add(in->problems, at, remedy, "`%s` cannot be `%.*s`", field->key, shown, text);
}

/* Does it end before it starts? Days are held against the longest month. */
static bool is_backwards(const Field *field, Span span) {
    if (field->from_end && span.first < 0 && span.last > 0) return true;
    const int first = span.first < 0 && field->from_end ? LONGEST_MONTH + span.first + 1 : span.first;
    const int last = span.last < 0 && field->from_end ? LONGEST_MONTH + span.last + 1 : span.last;
    return first > last;
}

static bool read_span(const Field *field, const char *text, Place at, Span *ret_span, Decoding *in) {
    char word[WORD_MAX] = "";
    const char *colon = strchr(text, ':');
    Span span;
    if (!read_word(field, text, colon ? (size_t)(colon - text) : strlen(text), word, &span.first))
        return refuse_word(field, text, word, at, in);
    span.last = span.first;
    if (colon && !read_word(field, colon + 1, strlen(colon + 1), word, &span.last))
        return refuse_word(field, text, word, at, in);
    if (is_backwards(field, span))
        return problem_add(
            in->problems, at, "write two ranges", "a range of `%s` ends before it starts: `%s`", field->key, text);
    *ret_span = span;
    return true;
}

static SpanList read_spans(const Field *field, const TextList *texts, Decoding *in) {
    SpanList list = {0, arena_alloc(in->arena, texts->count, sizeof(Span))};
    for (size_t i = 0; i < texts->count; i++)
        list.count += read_span(field, texts->texts[i], texts->places[i], &list.spans[list.count], in);
    return list;
}

/* --- times --- */

typedef struct TimeKeys {
    const char *start, *end;
} TimeKeys;

static bool clock_parse(const char *text, int *ret_minute) {
    const bool has_form = strlen(text) == 5 && isdigit((unsigned char)text[0]) && isdigit((unsigned char)text[1]) &&
        text[2] == ':' && isdigit((unsigned char)text[3]) && isdigit((unsigned char)text[4]);
    if (!has_form) return false;
    const int minute = (text[0] - '0') * 600 + (text[1] - '0') * 60 + (text[3] - '0') * 10 + (text[4] - '0');
    if (text[3] > '5' || minute > DAY_MINUTES) return false;
    *ret_minute = minute;
    return true;
}

#define CLOCK_REMEDY "hours and minutes such as '09:30', from '00:00' to '24:00'"

static bool clock_check(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    int minute;
    const char *text = *(const char *const *)value;
    return clock_parse(text, &minute) ||
        problem_add(in->problems, node->at, CLOCK_REMEDY, "`%s` cannot be `%.40s`", row->key, text);
}

static const SchemaRow time_rows[] = {
    {.key = "start_time",
        .type = SCHEMA_TEXT,
        .offset = offsetof(TimeKeys, start),
        .required = true,
        .check = clock_check,
        .remedy = CLOCK_REMEDY,
        .doc = "The first minute."},
    {.key = "end_time",
        .type = SCHEMA_TEXT,
        .offset = offsetof(TimeKeys, end),
        .required = true,
        .check = clock_check,
        .remedy = CLOCK_REMEDY,
        .doc = "The minute behind the last one."},
    SCHEMA_END,
};

static bool read_time(const TimeKeys *keys, const Node *node, Span *ret_span, Decoding *in) {
    Span span;
    if (!keys->start || !keys->end) return false; /* told */
    if (!clock_parse(keys->start, &span.first) || !clock_parse(keys->end, &span.last)) return false;
    if (span.first >= span.last)
        return problem_add(in->problems, node_get(node, "end_time")->at,
            "past midnight it takes two times: up to '24:00', and from '00:00'",
            "`end_time` is not after `start_time`");
    *ret_span = span;
    return true;
}

static SpanList read_times(const SectionList *times, Decoding *in) {
    const TimeKeys *keys = times->items;
    SpanList list = {0, arena_alloc(in->arena, times->count, sizeof(Span))};
    for (size_t i = 0; i < times->count; i++)
        list.count += read_time(&keys[i], times->nodes[i], &list.spans[list.count], in);
    return list;
}

/* --- an interval --- */

typedef struct SpecKeys {
    SectionList times;
    TextList weekdays, days_of_month, months, years;
    const char *location;
} SpecKeys;

typedef struct IntervalKeys {
    const char *name;
    SectionList specs;
} IntervalKeys;

#define TEXTS(member, example, says) \
    { \
        .key = #member, .type = SCHEMA_TEXTS, .offset = offsetof(SpecKeys, member), .min = 1, \
        .max = INTERVAL_SPANS_MAX, .remedy = "a list such as " example, .doc = says \
    }

static const SchemaRow spec_rows[] = {
    {.key = "times",
        .type = SCHEMA_SECTIONS,
        .offset = offsetof(SpecKeys, times),
        .min = 1,
        .max = INTERVAL_SPANS_MAX,
        .rows = time_rows,
        .size = sizeof(TimeKeys),
        .remedy = "a list such as [{start_time: '09:00', end_time: '17:00'}]",
        .doc = "Times of the day."},
    TEXTS(
        weekdays, "['monday:friday']", "Days of the week by their names, or ranges of them. A week begins on Sunday."),
    TEXTS(days_of_month, "['1:5', '-1']",
        "Days of the month, or ranges of them; -1 is the last. What lies outside a month is cut to it."),
    TEXTS(months, "['may:august', 'december']", "Months by name or number, or ranges of them."),
    TEXTS(years, "['2026:2028']", "Years, or ranges of them."),
    {.key = "location",
        .type = SCHEMA_TEXT,
        .offset = offsetof(SpecKeys, location),
        .min = 1,
        .max = ZONE_NAME_MAX,
        .fallback = "UTC",
        .remedy = "a zone such as Europe/Berlin, or UTC, or Local",
        .doc = "The time zone of all of these, by its IANA name; Local is this machine's own."},
    SCHEMA_END,
};

const SchemaRow interval_rows[] = {
    {.key = "name",
        .type = SCHEMA_TEXT,
        .offset = offsetof(IntervalKeys, name),
        .min = 1,
        .max = INTERVAL_NAME_MAX,
        .required = true,
        .remedy = "a name of 1 to 255 characters",
        .doc = "What routes call it."},
    {.key = "time_intervals",
        .type = SCHEMA_SECTIONS,
        .offset = offsetof(IntervalKeys, specs),
        .min = 1,
        .max = INTERVAL_SPECS_MAX,
        .required = true,
        .rows = spec_rows,
        .size = sizeof(SpecKeys),
        .remedy = "a list of sections with times, weekdays, days_of_month, months, years, location",
        .doc = "A time in any of them is in the interval. Of one, all keys that are given must hold, and of each key "
               "any item."},
    SCHEMA_END,
};

static void read_zone(const char *location, const Node *node, IntervalSpec *spec, Decoding *in) {
    Error err = {0};
    if (!location || strcmp(location, "UTC") == 0) return;
    spec->zone = zone_new(location, &err);
    if (!spec->zone)
        problem_add(in->problems, node_get(node, "location")->at,
            "an IANA name such as Europe/Berlin; see /usr/share/zoneinfo", "`location`: %s", err.text);
}

static IntervalSpec read_spec(const SpecKeys *keys, const Node *node, Decoding *in) {
    IntervalSpec spec = {
        .times = read_times(&keys->times, in),
        .weekdays = read_spans(&weekdays_field, &keys->weekdays, in),
        .days_of_month = read_spans(&days_field, &keys->days_of_month, in),
        .months = read_spans(&months_field, &keys->months, in),
        .years = read_spans(&years_field, &keys->years, in),
    };
    read_zone(keys->location, node, &spec, in);
    return spec;
}

static Interval read_interval(const IntervalKeys *keys, const Node *node, Decoding *in) {
    const SpecKeys *specs = keys->specs.items;
    const Node *name = node_get(node, "name");
    Interval interval = {.name = keys->name ? keys->name : "", /* told; nobody looks for it */
        .at = name ? name->at : node->at,
        .count = keys->specs.count,
        .specs = arena_alloc(in->arena, keys->specs.count, sizeof *interval.specs)};
    for (size_t i = 0; i < interval.count; i++) interval.specs[i] = read_spec(&specs[i], keys->specs.nodes[i], in);
    return interval;
}

const Interval *interval_find(const IntervalsSection *section, const char *name) {
    for (size_t i = 0; i < section->count; i++)
        if (strcmp(section->intervals[i].name, name) == 0) return &section->intervals[i];
    return NULL;
}

/* Its name is no other's: looks through those that were read before. */
static void check_name(const IntervalsSection *before, const Interval *interval, Decoding *in) {
    const Interval *first = *interval->name ? interval_find(before, interval->name) : NULL;
    if (first)
        problem_add(in->problems, interval->at, "names are unique in all files",
            "the time interval `%.80s` exists already, at %s:%u", interval->name, first->at.file, first->at.line);
}

static bool intervals_decode(Decoding *in, const Node *node, void *section_) {
    static const SchemaRow list_row = {.key = "time_intervals",
        .type = SCHEMA_SECTIONS,
        .max = INTERVALS_MAX,
        .rows = interval_rows,
        .size = sizeof(IntervalKeys),
        .remedy = "a list of sections, each with a name and time_intervals"};
    IntervalsSection *section = section_;
    SectionList list = {0};
    const size_t errors = problems_errors(in->problems);
    if (node_is_null(node)) return true;
    schema_read_value(&list_row, node, &list, in);
    const IntervalKeys *keys = list.items;
    section->intervals = arena_alloc(in->arena, list.count, sizeof *section->intervals);
    for (size_t i = 0; i < list.count; i++) {
        if (list.nodes[i]->kind != NODE_MAP) continue; /* told */
        const Interval interval = read_interval(&keys[i], list.nodes[i], in);
        check_name(section, &interval, in);
        section->intervals[section->count++] = interval;
    }
    return problems_errors(in->problems) == errors;
}

static void intervals_destroy(void *section_) {
    const IntervalsSection *section = section_;
    for (size_t i = 0; i < section->count; i++)
        for (size_t j = 0; j < section->intervals[i].count; j++) zone_free(section->intervals[i].specs[j].zone);
}

const SectionDescriptor time_intervals_section = {
    .key = "time_intervals",
    .doc = "Named times in which routes are silent, or speak alone.",
    .size = sizeof(IntervalsSection),
    .decode = intervals_decode,
    .destroy = intervals_destroy,
};
