/* JSON without a tree. That it takes what jansson takes, and reads the same, is what its fuzz target holds; here is how
 * a decoder uses it, and the bounds. */
#include "base/json_pull.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/own.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void begin(JsonPull *in, const char *text, Error *err) { json_pull_init(in, text, strlen(text), err); }

static bool end(JsonPull *in) {
    const bool is_json = json_pull_end(in);
    json_pull_deinit(in);
    return is_json;
}

static bool is_json(const char *text, size_t length) {
    JsonPull in;
    Error err = {0};
    json_pull_init(&in, text, length, &err);
    json_pull_skip(&in);
    const bool is = end(&in);
    ck_assert_int_eq(err.kind, is ? ERROR_NONE : ERROR_INPUT);
    return is;
}

static const char *const wrong[] = {"", " ", "{", "}", "[", "]", "[1", "[1,]", "[,1]", "[1 2]", "[1}", "{\"a\":1]",
    "{\"a\":1,}", "{,}", "{\"a\"}", "{\"a\",1}", "{a:1}", "{1:1}", "[1] x", "1 1", "'a'", "\"", "\"a", "\"\\",
    "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud83d\\u12\"", "\"\n\"", "\"\xff\"", "\"\xc3\"", "\"\xed\xa0\x80\"",
    "\xef\xbb\xbf{}", "tru", "nul", "True", "NaN", "-", "+1", "01", "-01", ".5", "1.", "1.e1", "1e", "1e+", "0x1",
    "1e400", "-1e400", "9223372036854775808", "-9223372036854775809", "99999999999999999999999"};
START_TEST(wrong_is_refused) { ck_assert_msg(!is_json(wrong[_i], strlen(wrong[_i])), "%s", wrong[_i]); }
END_TEST

START_TEST(cut_at_each_byte) {
    const char whole[] = "{\"a\\u00e9\":[1,-2.5e-3,true,false,null,{},[]],\"b\":\"\xc3\xa9\\n\"}";
    for (size_t length = 0; length < sizeof whole - 1; length++) ck_assert(!is_json(whole, length));
    ck_assert(is_json(whole, sizeof whole - 1));
    ck_assert(!is_json(whole, sizeof whole)); /* with the zero byte */
}
END_TEST

static const struct Number {
    const char *text;
    double want;
} numbers[] = {{"0", 0}, {"-0", 0}, {"7", 7}, {"-7", -7}, {"9223372036854775807", 0x1p63},
    {"-9223372036854775808", -0x1p63}, {"0.1", 0.1}, {"-0.1", -0.1}, {"1.7E9", 1.7e9}, {"1e22", 1e22}, {"1e23", 1e23},
    {"4.35", 4.35}, {"9007199254740993.0", 9007199254740992}, {"9007199254740993.00001", 9007199254740994},
    {"0.1000000000000000055511151231257827", 0.1}, {"123456789012345678e-25", 123456789012345678e-25}, {"1e-400", 0},
    {"5e-324", 5e-324}, {"1e0000000000000000000001", 10}, {"0e99999999", 0}};
START_TEST(numbers_are_exact) {
    JsonPull in;
    double got = NAN;
    begin(&in, numbers[_i].text, NULL);
    ck_assert(json_pull_number(&in, &got));
    ck_assert_msg(got == numbers[_i].want, "%s: %.17g", numbers[_i].text, got);
    ck_assert(end(&in));
}
END_TEST

#define NONE "\xef\xbf\xbd"
START_TEST(texts_are_mended) {
    static const struct {
        const char *text, *want;
    } cases[] = {{"\"\"", ""}, {"\"plain\"", "plain"}, {"\"\xc3\xa9\"", "\xc3\xa9"}, {"\"a\\\"\\\\\\/\"", "a\"\\/"},
        {"\"\\b\\f\\n\\r\\t\"", "\b\f\n\r\t"},
        {"\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        /* what no text can hold */
        {"\"\\u0000\"", NONE}, {"\"\\ud83d\"", NONE}, {"\"\\ud83d\\n\"", NONE "\n"}, {"\"\\ude00x\"", NONE "x"},
        {"\"\\ud83d\\u0041\"", NONE "A"}, {"\"\\ud83d\\ud83d\\ude00\"", NONE "\xf0\x9f\x98\x80"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        JsonPull in;
        JsonText text;
        begin(&in, cases[i].text, NULL);
        ck_assert(json_pull_text(&in, &text));
        ck_assert_msg(json_text_is(text, cases[i].want), "%s", cases[i].text);
        ck_assert(end(&in));
    }
}
END_TEST

/* What is of another type stays at hand, and unknown members are passed over, whatever they hold. */
START_TEST(members_by_name) {
    static const char *const keys[] = {"a", "b", NULL};
    JsonPull in;
    uint32_t seen = 0;
    double number;
    JsonText text;
    begin(&in, " { \"x\" : [{\"a\":1}], \"b\" : \"text\", \"y\":{}, \"\\u0061\":[2 ,3], \"z\":null } ", NULL);
    ck_assert(!json_pull_open(&in, '[') && json_pull_open(&in, '{'));
    ck_assert_int_eq(json_pull_member(&in, keys, &seen), 1);
    ck_assert(!json_pull_number(&in, &number) && !json_pull_open(&in, '{') && json_pull_text(&in, &text));
    ck_assert(json_text_is(text, "text"));
    ck_assert_int_eq(json_pull_member(&in, keys, &seen), 0);
    ck_assert(json_pull_open(&in, '[') && json_pull_item(&in) && json_pull_number(&in, &number) && number == 2);
    ck_assert(json_pull_item(&in) && json_pull_number(&in, &number) && number == 3 && !json_pull_item(&in));
    ck_assert_int_eq(json_pull_member(&in, keys, &seen), -1);
    ck_assert(end(&in));
}
END_TEST

/* What each of the calls says of a value; what it does not take is still at hand. */
static const struct Value {
    const char *text;
    bool is_whole, is_flag;
    int64_t want;
} values[] = {{"0", true, false, 0}, {"-0", true, false, 0}, {" 7", true, false, 7}, {"-7", true, false, -7},
    {"7.0", true, false, 7}, {"1.5e1", true, false, 15}, {"8999999999999999", true, false, 8999999999999999},
    {"-8999999999999999", true, false, -8999999999999999}, {"9000000000000000", false, false, 0},
    {"9223372036854775807", false, false, 0}, {"1e300", false, false, 0}, {"0.5", false, false, 0},
    {"\"7\"", false, false, 0}, {" true", false, true, 1}, {"false", false, true, 0}, {"null", false, false, 0},
    {"[true]", false, false, 0}, {"{}", false, false, 0}};
START_TEST(whole_numbers_and_flags) {
    const struct Value *c = &values[_i];
    JsonPull in;
    int64_t got = -1;
    bool flag = false;
    begin(&in, c->text, NULL);
    const bool is_whole = json_pull_whole(&in, &got), is_flag = !is_whole && json_pull_flag(&in, &flag);
    ck_assert_msg(is_whole == c->is_whole && is_flag == c->is_flag, "%s", c->text);
    ck_assert_int_eq(got, is_whole ? c->want : -1);
    ck_assert_int_eq(flag, is_flag && c->want);
    if (!is_whole && !is_flag) json_pull_skip(&in);
    ck_assert_msg(end(&in), "%s", c->text);
}
END_TEST

START_TEST(a_flag_is_a_whole_word) {
    JsonPull in;
    bool flag;
    begin(&in, "truth", NULL);
    ck_assert(!json_pull_flag(&in, &flag));
    ck_assert(!end(&in));
}
END_TEST

START_TEST(a_value_as_it_stands) {
    static const char *const keys[] = {"a", "b", NULL};
    JsonPull in;
    JsonText raw = {NULL, 0}, text;
    uint32_t seen = 0;
    begin(&in, "{\"a\": {\"x\" : [1, \"\\u00e9}\"]} ,\"b\":\"c\"}", NULL);
    ck_assert(json_pull_open(&in, '{'));
    ck_assert_int_eq(json_pull_member(&in, keys, &seen), 0);
    ck_assert(json_pull_raw(&in, &raw));
    ck_assert_int_eq(json_pull_member(&in, keys, &seen), 1);
    ck_assert(json_pull_text(&in, &text) && json_text_is(text, "c")); /* the raw one outlives the calls behind it */
    OWN(text) char *copy = json_text_copy(raw);
    ck_assert_str_eq(copy, "{\"x\" : [1, \"\\u00e9}\"]}");
    ck_assert_int_eq(json_pull_member(&in, keys, &seen), -1);
    ck_assert(end(&in));
    begin(&in, "[1,]", NULL);
    ck_assert(!json_pull_raw(&in, &raw));
    ck_assert(!end(&in));
}
END_TEST

START_TEST(asked_twice_is_refused) {
    static const char *const keys[] = {"a", NULL};
    JsonPull in;
    Error err = {0};
    uint32_t seen = 0;
    begin(&in, "{\"a\":1,\"x\":1,\"a\":2}", &err);
    ck_assert(json_pull_open(&in, '{'));
    ck_assert_int_eq(json_pull_member(&in, keys, &seen), 0);
    json_pull_skip(&in);
    ck_assert_int_eq(json_pull_member(&in, keys, &seen), -1);
    ck_assert(!json_pull_item(&in) && !json_pull_peek(&in)); /* nothing comes behind a mistake */
    ck_assert(!end(&in));
    ck_assert_str_eq(err.text, "JSON is wrong at byte 17: a key comes twice");
}
END_TEST

/* `before`, `count` times `piece`, `after`: is it taken? */
static bool takes(const char *before, const char *piece, size_t count, const char *after, Error *err) {
    Buffer text = BUFFER(64 << 20);
    JsonPull in;
    buffer_text(&text, before);
    for (size_t i = 0; i < count; i++) buffer_text(&text, piece);
    buffer_text(&text, after);
    json_pull_init(&in, text.bytes, text.used, err);
    json_pull_skip(&in);
    const bool is = end(&in);
    buffer_deinit(&text);
    return is;
}

START_TEST(bounds_hold) {
    Error err = {0};
    ck_assert(!takes("", "[", 100000, "", &err));
    ck_assert_str_eq(err.text, "JSON is wrong at byte 64: it is deeper than 64 levels (JSON_DEPTH)");
    ck_assert(takes("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "]", JSON_DEPTH, "", NULL));
    err = (Error){0};
    ck_assert(!takes("[1", ",1", JSON_VALUES - 1, "]", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "it has more than 500000 values (JSON_VALUES)"));
    ck_assert(takes("[1", ",1", JSON_VALUES - 2, "]", NULL));
    ck_assert(takes("\"\\\"", "[{,", 200000, "\"", NULL)); /* in a string they count for nothing */
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, wrong_is_refused, 0, (int)COUNT_OF(wrong));
    tcase_add_test(tcase, cut_at_each_byte);
    tcase_add_loop_test(tcase, numbers_are_exact, 0, (int)COUNT_OF(numbers));
    tcase_add_test(tcase, texts_are_mended);
    tcase_add_test(tcase, members_by_name);
    tcase_add_loop_test(tcase, whole_numbers_and_flags, 0, (int)COUNT_OF(values));
    tcase_add_test(tcase, a_flag_is_a_whole_word);
    tcase_add_test(tcase, a_value_as_it_stands);
    tcase_add_test(tcase, asked_twice_is_refused);
    tcase_add_test(tcase, bounds_hold);
}

int main(void) { return run_tests("json_pull", fill); }
