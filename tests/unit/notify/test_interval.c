/* The `time_intervals` section, and what is in an interval. */
#include "notify/interval_section.h"

#include "../config/printed.h"
#include "../run.h"
#include "base/timetext.h"

#include <string.h>

typedef struct Loaded {
    Arena *arena;
    Problems *all;
    IntervalsSection section;
    char *text;
} Loaded;

static Loaded load(const char *yaml) {
    Loaded l = {.arena = arena_new(), .all = problems_new()};
    Decoding in = {.arena = l.arena, .nodes = l.arena, .problems = l.all, .directory = "."};
    const Node *node = node_parse(l.arena, l.arena, "f", yaml, strlen(yaml), l.all);
    const bool fine = time_intervals_section.decode(&in, node_get(node, "t"), &l.section);
    ck_assert_int_eq(fine, problems_errors(l.all) == 0);
    l.text = printed(l.all);
    return l;
}

static void unload(Loaded *l) {
    time_intervals_section.destroy(&l->section);
    free(l->text);
    problems_free(l->all);
    arena_free(l->arena);
}

#define ONE "t:\n- name: n\n  time_intervals:\n  - "
static const struct Bad {
    const char *yaml, *want; /* the first line, or its start */
} bad[] = {
    {"t: 5", "f:1:4: error: `time_intervals` must be a list (begin each item with `- `)"},
    {"t: [5]", "f:1:5: error: an item of `time_intervals` must be a section with keys"},
    {"t: [{}]", "f:1:5: error: `name` is missing"},
    {"t: [{name: a}]", "f:1:6: error: `time_intervals` is missing"},
    {"t: [{name: a, time_intervals: []}]", "f:1:31: error: `time_intervals` has too few items"},
    {"t: [{name: a, time_intervals: [5]}]", "f:1:32: error: an item of `time_intervals` must be a section"},
    {"t: [{name: '', time_intervals: [{}]}]", "f:1:12: error: `name` is too short"},
    {"t: [{nmae: a, time_intervals: [{}]}]", "f:1:6: error: unknown key `nmae` (did you mean `name`?)"},
    {"t:\n- {name: a, time_intervals: [{}]}\n- {name: a, time_intervals: [{}]}",
        "f:3:10: error: the time interval `a` exists already, at f:2 (names are unique in all files)"},
    {ONE "wekdays: [monday]", "f:4:5: error: unknown key `wekdays` (did you mean `weekdays`?)"},
    {ONE "weekdays: []", "f:4:15: error: `weekdays` has too few items"},
    {ONE "weekdays: [mondya]", "f:4:16: error: `weekdays` cannot be `mondya` (did you mean `monday`?)"},
    {ONE "weekdays: [mon]", "f:4:16: error: `weekdays` cannot be `mon` ("},
    {ONE "weekdays: ['1']", "f:4:16: error: `weekdays` cannot be `1` (a day's whole name"},
    {ONE "weekdays: ['monday:']", "f:4:16: error: `weekdays` cannot be `monday:` ("},
    {ONE "weekdays: [':friday']", "f:4:16: error: `weekdays` cannot be `:friday` ("},
    {ONE "weekdays: ['monday:friday:sunday']", "f:4:16: error: `weekdays` cannot be `monday:friday:sunday` ("},
    {ONE "weekdays: ['friday:monday']",
        "f:4:16: error: a range of `weekdays` ends before it starts: `friday:monday` (write two ranges)"},
    {ONE "weekdays: ['monday:sunday']", "f:4:16: error: a range of `weekdays` ends before it starts"},
    {ONE "weekdays: {a: b}", "f:4:15: error: `weekdays` must be a list of texts"},
    {ONE "days_of_month: ['0']", "f:4:21: error: `days_of_month` cannot be `0`"},
    {ONE "days_of_month: ['32']", "f:4:21: error: `days_of_month` cannot be `32`"},
    {ONE "days_of_month: ['-32']", "f:4:21: error: `days_of_month` cannot be `-32`"},
    {ONE "days_of_month: ['--1']", "f:4:21: error: `days_of_month` cannot be `--1`"},
    {ONE "days_of_month: ['-']", "f:4:21: error: `days_of_month` cannot be `-`"},
    {ONE "days_of_month: ['99999999999']", "f:4:21: error: `days_of_month` cannot be `99999999999`"},
    {ONE "days_of_month: ['5:1']", "f:4:21: error: a range of `days_of_month` ends before it starts"},
    {ONE "days_of_month: ['-1:-5']", "f:4:21: error: a range of `days_of_month` ends before it starts"},
    {ONE "days_of_month: ['-5:10']", "f:4:21: error: a range of `days_of_month` ends before it starts"},
    {ONE "days_of_month: ['-31:10']", "f:4:21: error: a range of `days_of_month` ends before it starts"},
    {ONE "days_of_month: ['31:-5']", "f:4:21: error: a range of `days_of_month` ends before it starts"},
    {ONE "months: ['13']", "f:4:14: error: `months` cannot be `13`"},
    {ONE "months: ['-1']", "f:4:14: error: `months` cannot be `-1`"},
    {ONE "months: [mai]", "f:4:14: error: `months` cannot be `mai` (did you mean `may`?)"},
    {ONE "months: ['may:april']", "f:4:14: error: a range of `months` ends before it starts"},
    {ONE "years: ['0']", "f:4:13: error: `years` cannot be `0`"},
    {ONE "years: ['12026']", "f:4:13: error: `years` cannot be `12026`"},
    {ONE "years: ['2028:2026']", "f:4:13: error: a range of `years` ends before it starts"},
    {ONE "years: ['a b c d e f g h i j k l m n o p']", "f:4:13: error: `years` cannot be `a b c"},
    {ONE "location: Europe/Berlim", "f:4:15: error: `location`: `Europe/Berlim` is no time zone"},
    {ONE "location: [UTC]", "f:4:15: error: `location` must be one value"},
    {ONE "times: [{start_time: '09:00'}]", "f:4:14: error: `end_time` is missing"},
    {ONE "times: [{end_time: '09:00'}]", "f:4:14: error: `start_time` is missing"},
    {ONE "times: []", "f:4:12: error: `times` has too few items"},
    {ONE "times: [9]", "f:4:13: error: an item of `times` must be a section"},
    {ONE "times: [{start_time: '9:00', end_time: '17:00'}]", "f:4:26: error: `start_time` cannot be `9:00`"},
    {ONE "times: [{start_time: '09:60', end_time: '17:00'}]", "f:4:26: error: `start_time` cannot be `09:60`"},
    {ONE "times: [{start_time: '09:00', end_time: '24:01'}]", "f:4:45: error: `end_time` cannot be `24:01`"},
    {ONE "times: [{start_time: '09:00', end_time: '-1:00'}]", "f:4:45: error: `end_time` cannot be `-1:00`"},
    {ONE "times: [{start_time: '09:00', end_time: '09:00'}]", "f:4:45: error: `end_time` is not after `start_time`"},
    {ONE "times: [{start_time: '22:00', end_time: '06:00'}]",
        "f:4:45: error: `end_time` is not after `start_time` (past midnight it takes two times: up to '24:00', and "
        "from"},
};

START_TEST(refuses) {
    Loaded l = load(bad[_i].yaml);
    ck_assert_uint_ge(problems_errors(l.all), 1);
    ck_assert_msg(strstr(l.text, bad[_i].want) == l.text, "`%s`, not `%s`", l.text, bad[_i].want);
    unload(&l);
}
END_TEST

START_TEST(tells_all_problems_at_once) {
    Loaded l = load(ONE "weekdays: [x, y]\n    months: ['13']\n    location: Z/Z\n    times: [{start_time: x}]");
    ck_assert_uint_eq(problems_errors(l.all), 6);
    unload(&l);
}
END_TEST

START_TEST(absent_is_empty) {
    static const char *const yaml[] = {"x: y", "t:", "t: ~", "t: []"};
    for (size_t i = 0; i < COUNT_OF(yaml); i++) {
        Loaded l = load(yaml[i]);
        ck_assert_str_eq(l.text, "");
        ck_assert_uint_eq(l.section.count, 0);
        ck_assert_ptr_null(interval_find(&l.section, "n"));
        unload(&l);
    }
}
END_TEST

#define IN true
#define OUT false
static const struct Held {
    const char *spec, *time;
    bool want;
} held[] = {
    {"{}", "2026-01-01T00:00:00Z", IN},
    {"{times: [{start_time: '09:00', end_time: '17:00'}]}", "2026-01-01T08:59:59Z", OUT},
    {"{times: [{start_time: '09:00', end_time: '17:00'}]}", "2026-01-01T09:00:00Z", IN},
    {"{times: [{start_time: '09:00', end_time: '17:00'}]}", "2026-01-01T16:59:59Z", IN},
    {"{times: [{start_time: '09:00', end_time: '17:00'}]}", "2026-01-01T17:00:00Z", OUT},
    {"{times: [{start_time: '22:00', end_time: '24:00'}]}", "2026-01-01T23:59:59Z", IN},
    {"{times: [{start_time: '22:00', end_time: '24:00'}]}", "2026-01-02T00:00:00Z", OUT},
    {"{times: [{start_time: '00:00', end_time: '00:01'}, {start_time: '12:00', end_time: '13:00'}]}",
        "2026-01-02T00:00:30Z", IN},
    {"{times: [{start_time: '00:00', end_time: '00:01'}, {start_time: '12:00', end_time: '13:00'}]}",
        "2026-01-02T12:30:00Z", IN},
    {"{weekdays: ['monday:friday']}", "2026-01-02T12:00:00Z", IN}, /* a Friday */
    {"{weekdays: ['monday:friday']}", "2026-01-03T12:00:00Z", OUT},
    {"{weekdays: [saturday, Sunday]}", "2026-01-04T12:00:00Z", IN},
    {"{weekdays: SATURDAY}", "2026-01-03T12:00:00Z", IN},
    {"{weekdays: ['sunday:saturday']}", "2026-01-04T12:00:00Z", IN},
    {"{days_of_month: ['1:5']}", "2026-01-05T23:59:59Z", IN},
    {"{days_of_month: ['1:5']}", "2026-01-06T00:00:00Z", OUT},
    {"{days_of_month: [1, 7]}", "2026-01-07T00:00:00Z", IN},
    {"{days_of_month: ['-1']}", "2026-01-31T12:00:00Z", IN},
    {"{days_of_month: ['-1']}", "2026-02-28T12:00:00Z", IN},
    {"{days_of_month: ['-1']}", "2028-02-28T12:00:00Z", OUT},
    {"{days_of_month: ['-1']}", "2028-02-29T12:00:00Z", IN},
    {"{days_of_month: ['-3:-1']}", "2026-04-28T12:00:00Z", IN},
    {"{days_of_month: ['-3:-1']}", "2026-04-27T12:00:00Z", OUT},
    {"{days_of_month: ['28:31']}", "2026-02-28T12:00:00Z", IN}, /* cut to the month */
    {"{days_of_month: ['30:31']}", "2026-02-28T12:00:00Z", OUT}, /* no such day this month */
    {"{days_of_month: ['-31:-29']}", "2026-02-01T12:00:00Z", OUT}, /* it ends before this month begins */
    {"{days_of_month: ['-31:-28']}", "2026-02-01T12:00:00Z", IN},
    {"{days_of_month: ['10:-10']}", "2026-02-19T12:00:00Z", IN},
    {"{days_of_month: ['10:-10']}", "2026-02-20T12:00:00Z", OUT},
    {"{months: ['may:august']}", "2026-05-01T00:00:00Z", IN},
    {"{months: ['may:august']}", "2026-09-01T00:00:00Z", OUT},
    {"{months: ['5:8', December]}", "2026-12-01T00:00:00Z", IN},
    {"{months: [1]}", "2026-01-01T00:00:00Z", IN},
    {"{months: ['1:february']}", "2026-02-01T00:00:00Z", IN},
    {"{years: ['2026:2027']}", "2027-12-31T23:59:59Z", IN},
    {"{years: ['2026:2027']}", "2028-01-01T00:00:00Z", OUT},
    {"{years: [2030]}", "2026-01-01T00:00:00Z", OUT},
    {"{weekdays: [thursday], months: [january], years: [2026]}", "2026-01-01T00:00:00Z", IN},
    {"{weekdays: [thursday], months: [february], years: [2026]}", "2026-01-01T00:00:00Z", OUT},
    {"{times: [{start_time: '09:00', end_time: '17:00'}], location: Europe/Berlin}", "2026-01-01T08:00:00Z", IN},
    {"{times: [{start_time: '09:00', end_time: '17:00'}], location: Europe/Berlin}", "2026-07-01T07:00:00Z", IN},
    {"{times: [{start_time: '09:00', end_time: '17:00'}], location: Europe/Berlin}", "2026-01-01T07:59:59Z", OUT},
    {"{weekdays: [friday], location: Asia/Tokyo}", "2026-01-01T15:00:00Z", IN},
    {"{years: [2025], location: America/New_York}", "2026-01-01T04:59:59Z", IN},
    {"{weekdays: [monday]}, {months: [january]}", "2026-01-02T00:00:00Z", IN}, /* either */
    {"{weekdays: [monday]}, {months: [february]}", "2026-01-02T00:00:00Z", OUT},
};

static Loaded load_specs(const char *specs) {
    char yaml[512];
    snprintf(yaml, sizeof yaml, "t: [{name: n, time_intervals: [%s]}]", specs);
    Loaded l = load(yaml);
    ck_assert_str_eq(l.text, "");
    ck_assert_ptr_eq(interval_find(&l.section, "n"), l.section.intervals);
    return l;
}

static int64_t seconds_of(const char *text) {
    int64_t ms;
    ck_assert(time_parse(text, &ms));
    return ms / 1000;
}

START_TEST(contains) {
    Loaded l = load_specs(held[_i].spec);
    const bool got = interval_contains(l.section.intervals, seconds_of(held[_i].time));
    ck_assert_msg(got == held[_i].want, "%s at %s", held[_i].spec, held[_i].time);
    unload(&l);
}
END_TEST

static const struct Change {
    const char *spec, *from, *want; /* want NULL: none */
} changes[] = {
    {"{}", "2026-01-01T00:00:00Z", NULL},
    {"{years: ['1:9998']}", "2026-01-01T00:00:00Z", NULL},
    {"{years: [2030]}", "2026-01-01T00:00:00Z", NULL}, /* further off than is searched */
    {"{years: [2030]}", "2029-12-01T00:00:00Z", "2030-01-01T00:00:00.000Z"},
    {"{times: [{start_time: '09:00', end_time: '17:00'}]}", "2026-01-01T08:59:59Z", "2026-01-01T09:00:00.000Z"},
    {"{times: [{start_time: '09:00', end_time: '17:00'}]}", "2026-01-01T09:00:00Z", "2026-01-01T17:00:00.000Z"},
    {"{times: [{start_time: '09:00', end_time: '17:00'}]}", "2026-01-01T17:00:00Z", "2026-01-02T09:00:00.000Z"},
    {"{times: [{start_time: '00:00', end_time: '24:00'}]}", "2026-01-01T17:00:00Z", NULL},
    {"{times: [{start_time: '22:00', end_time: '24:00'}, {start_time: '00:00', end_time: '06:00'}]}",
        "2026-01-01T22:00:00Z", "2026-01-02T06:00:00.000Z"}, /* one night */
    {"{weekdays: ['monday:friday'], times: [{start_time: '09:00', end_time: '17:00'}]}", "2026-01-02T17:00:00Z",
        "2026-01-05T09:00:00.000Z"},
    {"{days_of_month: ['-1'], months: [february]}", "2026-03-01T00:00:00Z", "2027-02-28T00:00:00.000Z"},
    {"{times: [{start_time: '09:00', end_time: '17:00'}], location: Europe/Berlin}", "2026-03-28T16:00:00Z",
        "2026-03-29T07:00:00.000Z"}, /* the clock was set forward that night */
    {"{times: [{start_time: '02:30', end_time: '02:45'}], location: Europe/Berlin}", "2026-03-28T12:00:00Z",
        "2026-03-30T00:30:00.000Z"}, /* that half hour was skipped on the 29th */
    {"{times: [{start_time: '02:30', end_time: '02:45'}], location: Europe/Berlin}", "2026-10-25T00:45:00Z",
        "2026-10-25T01:30:00.000Z"}, /* and it comes twice on the 25th */
    {"{times: [{start_time: '01:30', end_time: '03:30'}], location: Europe/Berlin}", "2026-03-29T00:45:00Z",
        "2026-03-29T01:30:00.000Z"},
    {"{weekdays: [monday]}, {weekdays: [tuesday]}", "2026-01-01T00:00:00Z", "2026-01-05T00:00:00.000Z"},
    {"{weekdays: [monday]}, {weekdays: [tuesday]}", "2026-01-05T00:00:00Z", "2026-01-07T00:00:00.000Z"},
    {"{weekdays: [monday]}", "1969-12-31T00:00:00Z", NULL},
    {"{weekdays: [monday]}", "9999-12-31T23:59:59Z", NULL},
};

START_TEST(finds_the_next_change) {
    Loaded l = load_specs(changes[_i].spec);
    int64_t at = -7;
    char text[TIME_TEXT_MAX];
    const bool found = interval_next_change(l.section.intervals, seconds_of(changes[_i].from), &at);
    ck_assert_int_eq(found, changes[_i].want != NULL);
    if (found)
        ck_assert_str_eq(time_format(at * 1000, text), changes[_i].want);
    else
        ck_assert_int_eq(at, -7);
    unload(&l);
}
END_TEST

/* Minute by minute over the two nights in which clocks are set: the search misses no change and invents none. */
START_TEST(search_agrees_with_every_minute) {
    static const char *const specs[] = {
        ("{times: [{start_time: '01:15', end_time: '02:10'}, {start_time: '02:50', end_time: '03:20'}], "
         "location: Europe/Berlin}"),
        "{weekdays: [sunday], location: America/New_York}, {times: [{start_time: '23:50', end_time: '24:00'}]}",
        "{days_of_month: ['-1', 1], times: [{start_time: '00:00', end_time: '12:00'}], location: Australia/Lord_Howe}"};
    static const char *const starts[] = {"2026-03-28T00:00:00Z", "2026-10-24T00:00:00Z"};
    Loaded l = load_specs(specs[_i / 2]);
    const Interval *interval = l.section.intervals;
    const int64_t from = seconds_of(starts[_i % 2]), until = from + 10 * 86400;
    int64_t next = 0;
    ck_assert(interval_next_change(interval, from, &next));
    for (int64_t at = from + 60; at < until; at += 60) {
        const bool changed = interval_contains(interval, at) != interval_contains(interval, at - 60);
        ck_assert_msg(changed == (at == next), "at %jd, next %jd", (intmax_t)at, (intmax_t)next);
        if (changed) ck_assert(interval_next_change(interval, at, &next));
    }
    unload(&l);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, refuses, 0, COUNT_OF(bad));
    tcase_add_test(tcase, tells_all_problems_at_once);
    tcase_add_test(tcase, absent_is_empty);
    tcase_add_loop_test(tcase, contains, 0, COUNT_OF(held));
    tcase_add_loop_test(tcase, finds_the_next_change, 0, COUNT_OF(changes));
    tcase_add_loop_test(tcase, search_agrees_with_every_minute, 0, 6);
}

int main(void) { return run_tests("interval", fill); }
