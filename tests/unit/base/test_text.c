#include "base/text.h"

#include "../run.h"

#include "base/escape.h"
#include "base/own.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct {
    const char *bytes;
    size_t length;
    bool want;
} utf8[] = {
    {"", 0, true},
    {"a\0b", 3, false},
    {"\x80", 1, false},
    {"\xc3", 1, false},
    {"\xc0\xaf", 2, false}, /* overlong */
    {"\xe0\x80\xaf", 3, false}, /* overlong */
    {"\xed\xa0\x80", 3, false}, /* a surrogate */
    {"\xf4\x90\x80\x80", 4, false}, /* beyond U+10FFFF */
    {"\xff", 1, false},
    {"a\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x94", 10, true},
};
START_TEST(utf8_is_checked) { ck_assert(utf8_ok(utf8[_i].bytes, utf8[_i].length) == utf8[_i].want); }
END_TEST

START_TEST(utf8_is_cut_whole) {
    const char *text = "a\xe2\x82\xac!";
    const size_t want[] = {0, 1, 1, 1, 4, 5, 5};
    for (size_t max = 0; max < COUNT_OF(want); max++) ck_assert_uint_eq(utf8_cut(text, 5, max), want[max]);
    ck_assert_uint_eq(utf8_count(text, 5), 3);
}
END_TEST

static const char *const keys[] = {">", ">=", "threshold", "period", "evaluation_periods", "to", "name", NULL};
static const struct {
    const char *word, *want;
} nearest[] = {{"", NULL}, {"x", NULL}, {"treshold", "threshold"}, {"thershold", "threshold"}, {"Period", "period"},
    {"evaluation-periods", "evaluation_periods"}, {"evaluationPeriods", "evaluation_periods"}, {"color", NULL},
    {"nmae", "name"}, {"=>", ">="}, {"evalua", "evaluation_periods"}, {"ev", NULL},
    {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", NULL}};
START_TEST(nearest_is_found) {
    const char *got = text_nearest(nearest[_i].word, keys);
    ck_assert_msg(got == nearest[_i].want || (got && nearest[_i].want && !strcmp(got, nearest[_i].want)), "%s: %s",
        nearest[_i].word, got);
}
END_TEST

static const struct {
    const char *glob, *text;
    bool ignore_case, want;
} globs[] = {
    {"", "", false, true},
    {"", "a", false, false},
    {"*", "", false, true},
    {"?", "", false, false},
    {"?", "\xe2\x82\xac", false, true},
    {"a*c", "abbbc", false, true},
    {"a*c", "abbb", false, false},
    {"*ab", "aab", false, true},
    {"a*b*c", "a-b-b-c", false, true},
    {"A", "a", false, false},
    {"A*", "abc", true, true},
    {"\\*", "*", false, true},
    {"\\*", "a", false, false},
    {"a\\", "a\\", false, true},
    {"\\", "\\", false, true},
    {"***", "x", false, true},
    {"*?", "", false, false},
    {"*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false, false},
};
START_TEST(globs_match) {
    ck_assert_msg(glob_matches(globs[_i].glob, globs[_i].text, globs[_i].ignore_case) == globs[_i].want, "%s %s",
        globs[_i].glob, globs[_i].text);
}
END_TEST

static const struct {
    double value;
    const char *want;
} numbers[] = {{0.8, "0.8"}, {20000, "20000"}, {-0.0, "0"}, {1e15, "1000000000000000"}, {1e16, "1e+16"},
    {0.1 + 0.2, "0.30000000000000004"}, {1e-5, "0.00001"}, {1.5e-7, "1.5e-07"}, {-1234.5, "-1234.5"},
    {5e-324, "5e-324"}, {1.7976931348623157e308, "1.7976931348623157e+308"}, {123456789012345.67, "123456789012345.67"},
    {100, "100"}, {NAN, "NaN"}, {INFINITY, "+Inf"}};
START_TEST(numbers_are_told) {
    char text[NUMBER_TEXT_MAX];
    ck_assert_str_eq(number_format(numbers[_i].value, text), numbers[_i].want);
    if (isfinite(numbers[_i].value)) ck_assert(strtod(text, NULL) == numbers[_i].value);
}
END_TEST

/* Digits from the first that is not 0 to the last that is not. */
static int digits_of(const char *text) {
    int digits = 0, last = 0;
    for (; *text && *text != 'e'; text++) {
        if (*text < '0' || *text > '9' || (!digits && *text == '0')) continue;
        digits++;
        if (*text != '0') last = digits;
    }
    return last;
}

static int fewest_digits(double value) {
    char text[NUMBER_TEXT_MAX];
    for (int digits = 1;; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, value);
        if (strtod(text, NULL) == value) return digits;
    }
}

/* Figures as metrics have them (few digits, whole ones, quotients) and any bits. */
START_TEST(numbers_are_short) {
    const char *given = getenv("TOCSIN_SEED");
    const unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    srandom(seed);
    for (size_t i = 0; i < 20000; i++) {
        const uint64_t bits = (uint64_t)random() << 40 ^ (uint64_t)random() << 20 ^ (uint64_t)random();
        const double ratio = (double)random() / (double)(1 + random() % 100000);
        double any;
        char text[NUMBER_TEXT_MAX];
        memcpy(&any, &bits, sizeof any);
        const double value = i % 4 == 0 ? any
            : i % 4 == 1                ? ratio
            : i % 4 == 2                ? round(ratio)
                                        : round(ratio * 100) / 100;
        if (!isfinite(value) || value == 0) continue;
        number_format(value, text);
        ck_assert_msg(strtod(text, NULL) == value && digits_of(text) == fewest_digits(value),
            "seed %u: %.17g is told as %s", seed, value, text);
    }
}
END_TEST

START_TEST(numbers_are_parsed) {
    double value = -7;
    const char *const wrong[] = {"", " 1", "1 ", "nan", "inf", "0x10", "1e999", "1_000", "--1", "e5", "1.2.3", "+"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        ck_assert_msg(!number_parse(wrong[i], &value) && value == -7, "%s", wrong[i]);
    ck_assert(number_parse("0.8", &value) && value == 0.8);
    ck_assert(number_parse("-1e3", &value) && value == -1000);
}
END_TEST

static const struct {
    const char *text, *want;
} harmful[] = {{"plain \xc3\xa4", "plain \xc3\xa4"}, {"a\nb\x1b[31m\x7f", "a\\x0ab\\x1b[31m\\x7f"},
    {"\xc2\x85", "\\xc2\\x85"}, {"\xe2\x80\xa8", "\\xe2\\x80\\xa8"}, {"\xe2\x80\xae", "\\xe2\\x80\\xae"},
    {"\xff-", "\\xff-"}, {"\xe2\x80", "\\xe2\\x80"}};
START_TEST(control_is_escaped) {
    OWN(buffer) Buffer out = BUFFER(100);
    escape_control(&out, harmful[_i].text);
    ck_assert_str_eq(buffer_string(&out), harmful[_i].want);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, utf8_is_checked, 0, COUNT_OF(utf8));
    tcase_add_test(tcase, utf8_is_cut_whole);
    tcase_add_loop_test(tcase, nearest_is_found, 0, COUNT_OF(nearest));
    tcase_add_loop_test(tcase, globs_match, 0, COUNT_OF(globs));
    tcase_add_loop_test(tcase, numbers_are_told, 0, COUNT_OF(numbers));
    tcase_add_test(tcase, numbers_are_short);
    tcase_add_test(tcase, numbers_are_parsed);
    tcase_add_loop_test(tcase, control_is_escaped, 0, COUNT_OF(harmful));
}
int main(void) { return run_tests("text", fill); }
