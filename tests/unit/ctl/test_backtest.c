/* A CSV of samples, malformed first; alarms replayed over one. */
#include "ctl/backtest_replay.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/own.h"
#include "sources/metric_selector.h"

#include <math.h>
#include <string.h>

static CsvSeries *read_text(const char *text, size_t length, Error *err) {
    FILE *in = fmemopen((void *)(uintptr_t)text, length, "r");
    ck_assert_ptr_nonnull(in);
    CsvSeries *series = csv_read(in, "s.csv", err);
    fclose(in);
    return series;
}

static const struct Wrong {
    const char *text, *error;
} wrong[] = {
    {"\n", "s.csv: there is no row"},
    {"timestamp,value\n", "s.csv: there is no row"},
    {"timestamp,value\n2014-02-14 14:30:00,\n", "s.csv: there is no row"},
    {"timestamp,value\n2014-02-14 14:30:00\n", "s.csv:2: `2014-02-14 14:30:00` is no row"},
    {"2014-02-14 14:30:00,x\n", "s.csv:1: `2014-02-14 14:30:00,x` is no row"},
    {"2014-02-30 14:30:00,1\n", "s.csv:1: "},
    {"2014-02-14 14:30:00,1\ntimestamp,value\n", "s.csv:2: `timestamp,value` is no row"},
    {"2014-02-14 14:30:00,1,2\n", "s.csv:1: "},
    {"2014-02-14 14:30:00,inf\n", "s.csv:1: "},
    {"2014-02-14 14:30:00,1e999\n", "s.csv:1: "},
    {"1392388200,1\n", "s.csv:1: "},
    {"\"2014-02-14 14:30:00,1\n", "s.csv:1: "},
};

START_TEST(wrong_lines_are_named) {
    Error err = {0};
    ck_assert_ptr_null(read_text(wrong[_i].text, strlen(wrong[_i].text), &err));
    ck_assert_msg(strncmp(err.text, wrong[_i].error, strlen(wrong[_i].error)) == 0, "%s", err.text);
    ck_assert_int_eq(err.kind, ERROR_INPUT);
}
END_TEST

START_TEST(lines_are_bounded) {
    char text[2 * CSV_LINE_MAX];
    Error err = {0};
    memset(text, '1', sizeof text);
    ck_assert_ptr_null(read_text(text, sizeof text, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "CSV_LINE_MAX"));
    const char zero[] = "2014-02-14 14:30:00,1\0\n2014-02-14 14:31:00,1\n";
    Error why = {0};
    ck_assert_ptr_null(read_text(zero, sizeof zero - 1, &why));
    ck_assert_ptr_nonnull(strstr(why.text, "zero byte"));
}
END_TEST

START_TEST(rows_are_sorted_and_gaps_left_out) {
    const char *text = "\xef\xbb\xbftime,CPU\r\n\r\n \"2014-02-14T14:31:00+01:00\" , \"2.5\" \r\n2014-02-14 "
                       "13:30:00,1\n2014-02-14 13:29:00,NaN\n"
                       "2014-02-14T13:31:30.250Z,-1e3";
    OWN(csv) CsvSeries *series = read_text(text, strlen(text), NULL);
    ck_assert_ptr_nonnull(series);
    ck_assert_uint_eq(series->count, 3);
    const int64_t first = 1392384600000;
    ck_assert(series->rows[0].time_ms == first && series->rows[0].value == 1);
    ck_assert(series->rows[1].time_ms == first + 60000 && series->rows[1].value == 2.5);
    ck_assert(series->rows[2].time_ms == first + 90250 && series->rows[2].value == -1000);
}
END_TEST

/* --- replay: rows at T + minutes, X is 20, 0 is 5, - is none --- */
enum { T = 1767322800, LOG_MAX = 512 }; /* 2026-01-02 03:00:00 UTC */

typedef struct Log {
    char text[LOG_MAX]; /* `+5 OK ALARM 20;`: minutes after T */
} Log;

static void note(void *ctx, int64_t time_s, AlarmState from, const Evaluation *to) {
    Log *log = ctx;
    const size_t used = strlen(log->text);
    snprintf(log->text + used, sizeof log->text - used, "%+g %.2s %.2s %g;", (double)(time_s - T) / 60,
        state_word(from), state_word(to->memory.state), to->value);
}

static const struct Walked {
    const char *rows, *statistic;
    int64_t period_s;
    size_t n, m, range;
    MissingData missing;
    AlarmState initial;
    int64_t at_s; /* 0: all of it */
    const char *log;
    AlarmState final;
    size_t alarms;
    int64_t alarm_s, longest_s, total_s;
} walks[] = {
    {"00XX0", "Sum", 60, 1, 1, 3, MISSING_MISSING, STATE_INSUFFICIENT_DATA, 0, "+1 IN OK 5;+3 OK AL 20;+5 AL OK 5;",
        STATE_OK, 1, 120, 120, 300},
    {"X", "Sum", 60, 1, 1, 3, MISSING_MISSING, STATE_OK, 0, "+1 OK AL 20;", STATE_ALARM, 1, 60, 60, 60},
    {"X0X", "Sum", 60, 1, 1, 3, MISSING_MISSING, STATE_ALARM, 0, "+2 AL OK 5;+3 OK AL 20;", STATE_ALARM, 1, 120, 60,
        180},
    {"X----X", "Sum", 60, 1, 1, 3, MISSING_MISSING, STATE_INSUFFICIENT_DATA, 0, "+1 IN AL 20;+4 AL IN nan;+6 IN AL 20;",
        STATE_ALARM, 2, 240, 180, 360},
    /* a window of two minutes slides by one: sums of neighbours */
    {"0000X00", "Sum", 120, 1, 1, 1, MISSING_MISSING, STATE_OK, 0, "+5 OK AL 25;+7 AL OK 10;", STATE_OK, 1, 120, 120,
        420},
    {"0000X00", "Maximum", 180, 1, 1, 1, MISSING_MISSING, STATE_OK, 0, "+5 OK AL 20;+8 AL OK 5;", STATE_OK, 1, 180, 180,
        420},
    {"XX0X", "SampleCount", 60, 1, 1, 1, MISSING_MISSING, STATE_ALARM, 0, "+1 AL OK 1;", STATE_OK, 0, 0, 0, 240},
    {"00XX0", "Sum", 60, 2, 2, 2, MISSING_MISSING, STATE_INSUFFICIENT_DATA, T + 4 * 60 + 59, "+4 IN AL 20;",
        STATE_ALARM, 1, 60, 60, 60},
    {"00XX0", "Sum", 60, 1, 1, 1, MISSING_MISSING, STATE_OK, T - 86400, "-1440 OK IN nan;", STATE_INSUFFICIENT_DATA, 0,
        0, 0, 60},
    {"00XX0", "Sum", 60, 1, 1, 1, MISSING_BREACHING, STATE_OK, T + 86400, "+1440 OK AL nan;", STATE_ALARM, 1, 60, 60,
        60},
};

START_TEST(walks_by_the_minute) {
    const struct Walked *c = &walks[_i];
    CsvRow rows[16];
    CsvSeries series = {rows, 0};
    for (size_t i = 0; c->rows[i]; i++)
        if (c->rows[i] != '-')
            rows[series.count++] = (CsvRow){(T + 60 * (int64_t)i) * 1000, c->rows[i] == 'X' ? 20 : 5};
    MetricSelector metric = {.statistic = c->statistic, .period_s = c->period_s};
    ck_assert(statistic_parse(c->statistic, &metric.parsed));
    const Alarm alarm = {.name = "a",
        .selector = &metric,
        .rule = {.comparison = COMPARE_GT,
            .threshold = 12,
            .n = c->n,
            .m = c->m,
            .range = c->range,
            .missing = c->missing,
            .period_s = c->period_s,
            .early = true}};
    const Replay replay = {
        .alarm = &alarm, .series = &series, .initial = c->initial, .has_at = c->at_s != 0, .at_s = c->at_s};
    Log log = {""};
    ReplayResult got;
    ck_assert(replay_run(&replay, note, &log, &got, NULL));
    ck_assert_str_eq(log.text, c->log);
    ck_assert_int_eq(got.final, c->final);
    ck_assert_uint_eq(got.alarms, c->alarms);
    ck_assert_int_eq(got.alarm_s, c->alarm_s);
    ck_assert_int_eq(got.longest_s, c->longest_s);
    ck_assert_int_eq(got.total_s, c->total_s);
}
END_TEST

START_TEST(length_is_bounded) {
    CsvRow rows[] = {{-62135596800000, 1}, {253402300799000, 1}}; /* years 1 and 9999 */
    const CsvSeries series = {rows, 2};
    MetricSelector metric = {.statistic = "Sum", .parsed = {.kind = STATISTIC_SUM}, .period_s = 60};
    const Alarm alarm = {.name = "a", .selector = &metric, .rule = {.n = 1, .m = 1, .range = 1, .period_s = 60}};
    Error err = {0};
    ReplayResult got;
    ck_assert(!replay_run(&(Replay){.alarm = &alarm, .series = &series}, note, &(Log){""}, &got, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "REPLAY_STEPS_MAX"));
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, wrong_lines_are_named, 0, (int)COUNT_OF(wrong));
    tcase_add_test(tcase, lines_are_bounded);
    tcase_add_test(tcase, rows_are_sorted_and_gaps_left_out);
    tcase_add_loop_test(tcase, walks_by_the_minute, 0, (int)COUNT_OF(walks));
    tcase_add_test(tcase, length_is_bounded);
}

int main(void) { return run_tests("backtest", fill); }
