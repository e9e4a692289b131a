#include "base/json.h"

#include "../run.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/own.h"
#include "base/secret.h"

#include <math.h>
#include <string.h>

static const char *const wrong[] = {"", " ", "{", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "[1] x", "\"\xff\"",
    "[\"a\\u0000\"]", "{'a':1}", "[NaN]", "\xef\xbb\xbf{}"};
START_TEST(wrong_is_refused) {
    Error err = {0};
    ck_assert_ptr_null(json_read(wrong[_i], strlen(wrong[_i]), &err));
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "JSON"));
}
END_TEST

/* `count` times `piece`, believed to be JSON. */
static json_t *repeated(const char *before, const char *piece, size_t count, const char *after, Error *err) {
    Buffer text = BUFFER(64 << 20);
    buffer_text(&text, before);
    for (size_t i = 0; i < count; i++) buffer_text(&text, piece);
    buffer_text(&text, after);
    json_t *value = json_read(text.bytes, text.used, err);
    buffer_deinit(&text);
    return value;
}

START_TEST(bounds_hold) {
    Error err = {0};
    ck_assert_ptr_null(repeated("", "[", 100000, "", &err));
    ck_assert_str_eq(err.text, "JSON is deeper than 64 levels at byte 64");
    err = (Error){0};
    ck_assert_ptr_null(repeated("[1", ",1", JSON_VALUES, "]", &err));
    ck_assert_str_eq(err.text, "JSON has more than 500000 values");
    OWN(json) json_t *most = repeated("[1", ",1", JSON_VALUES - 2, "]", NULL);
    ck_assert_uint_eq(json_array_size(most), JSON_VALUES - 1);
    OWN(json) json_t *brackets = repeated("\"\\\"", "[{,", 200000, "\"", NULL); /* in a string they count for nothing */
    ck_assert(json_is_string(brackets));
}
END_TEST

START_TEST(getters_trust_no_type) {
    const char text[] =
        "{\"s\":\"x\",\"i\":7,\"r\":2.0,\"f\":2.5,\"b\":true,\"l\":[1],\"m\":{},\"n\":null,\"big\":1e300}";
    OWN(json) json_t *o = json_read(text, sizeof text - 1, NULL);
    double real = -1;
    int64_t whole = -1;
    ck_assert_str_eq(json_text(o, "s"), "x");
    ck_assert_ptr_null(json_text(o, "i"));
    ck_assert_ptr_null(json_text(NULL, "i"));
    ck_assert(json_double(o, "i", &real) && real == 7);
    ck_assert(json_double(o, "f", &real) && real == 2.5);
    ck_assert(!json_double(o, "s", &real) && !json_double(json_object_get(o, "l"), "s", &real) && real == 2.5);
    ck_assert(json_whole(o, "i", &whole) && whole == 7);
    ck_assert(json_whole(o, "r", &whole) && whole == 2);
    ck_assert(
        !json_whole(o, "f", &whole) && !json_whole(o, "big", &whole) && !json_whole(o, "none", &whole) && whole == 2);
    ck_assert(json_flag(o, "b", false) && json_flag(o, "s", true));
    ck_assert(json_list(o, "l") && !json_list(o, "m") && json_map(o, "m") && !json_map(o, "l"));
    OWN(text) char *written = json_write(o);
    ck_assert_str_eq(
        written, "{\"b\":true,\"big\":1e+300,\"f\":2.5,\"i\":7,\"l\":[1],\"m\":{},\"n\":null,\"r\":2.0,\"s\":\"x\"}");
}
END_TEST

static const struct Foreign {
    const char *text, *written;
} foreign[] = {
    {"[\"a\\u0000b\"]",
        "[\"a\xef\xbf\xbd"
        "b\"]"},
    {"{\"\\u0000\":[\"\\uD83D\",\"\\uDE00\"]}", "{\"\xef\xbf\xbd\":[\"\xef\xbf\xbd\",\"\xef\xbf\xbd\"]}"},
    {"[\"\\ud83d\\ude00\\\\u0000\"]", "[\"\xf0\x9f\x98\x80\\\\u0000\"]"},
    {"[\"\\u0000\"", NULL}, /* wrong all the same */
    {"[\"\\u000", NULL},
    {"[\"\\", NULL},
    {"", NULL},
};
START_TEST(what_no_text_can_hold_hides_nothing) {
    const struct Foreign *c = &foreign[_i];
    OWN(json) json_t *value = json_read_foreign(c->text, strlen(c->text), NULL);
    OWN(text) char *written = json_write(value);
    ck_assert_str_eq(written, c->written ? c->written : "");
}
END_TEST

/* What a terminal obeys, or shows in another order, stands there by its code; the rest as it is. */
START_TEST(written_for_a_terminal) {
    static const char text[] =
        "\x1b[1m\r\n\t\b\f\"\\/\x7f\xc2\x9b\xe2\x80\xae\xe2\x80\xa8\xef\xbb\xbf\xc3\xa4\xf0\x9f\x98\x80";
    OWN(json) json_t *value = json_safe(text), *object = json_pack("{s:i}", "\xe2\x80\xae", 1);
    OWN(text) char *written = json_write(value), *key = json_write(object);
    ck_assert_str_eq(
        written, "\"\\u001B[1m\\r\\n\\t\\b\\f\\\"\\\\/\\u007F\\u009B\\u202E\\u2028\\uFEFF\xc3\xa4\xf0\x9f\x98\x80\"");
    ck_assert_str_eq(key, "{\"\\u202E\":1}");
    OWN(json) json_t *again = json_read(written, strlen(written), NULL);
    ck_assert_str_eq(json_string_value(again), text);
}
END_TEST

/* Trees that were made past json_safe(): a byte that is no UTF-8 is not taken for the character of its number. */
START_TEST(what_is_no_utf8_is_written_as_unknown) {
    OWN(json) json_t *value = json_string_nocheck("a\xe4z \xe2\x82 \xff\x9b");
    OWN(text) char *written = json_write(value);
    ck_assert_str_eq(written, "\"a\\uFFFDz \\uFFFD\\uFFFD \\uFFFD\\uFFFD\"");
}
END_TEST

START_TEST(makers_cannot_make_wrong_ones) {
    OWN(json) json_t *list = json_array();
    json_array_append_new(list, json_number(NAN));
    json_array_append_new(list, json_number(0.8));
    json_array_append_new(list, json_safe("a\xff\xe2\x82"));
    json_array_append_new(list, json_safe(NULL));
    json_array_append_new(list, json_time(0));
    json_array_append_new(list, json_time(1767323045678));
    OWN(text) char *written = json_write(list);
    ck_assert_str_eq(
        written, "[null,0.8,\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\",null,null,\"2026-01-02T03:04:05.678Z\"]");
}
END_TEST

START_TEST(a_text_is_written_as_its_tree_would_be) {
    static const char *const texts[] = {
        "", "plain", "\"", "\\", "a\"b\\c", "\x01\x1f\x7f", "\t", "\xc3\xa9\xe2\x82\xac"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        OWN(buffer) Buffer out = BUFFER(1000);
        json_add_text(&out, texts[i]);
        OWN(json) json_t *back = json_loads(buffer_string(&out), JSON_DECODE_ANY, NULL);
        ck_assert_msg(back && !strcmp(json_string_value(back), texts[i]), "%s", buffer_string(&out));
    }
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, a_text_is_written_as_its_tree_would_be);
    tcase_add_loop_test(tcase, wrong_is_refused, 0, COUNT_OF(wrong));
    tcase_add_test(tcase, bounds_hold);
    tcase_add_test(tcase, getters_trust_no_type);
    tcase_add_loop_test(tcase, what_no_text_can_hold_hides_nothing, 0, COUNT_OF(foreign));
    tcase_add_test(tcase, written_for_a_terminal);
    tcase_add_test(tcase, what_is_no_utf8_is_written_as_unknown);
    tcase_add_test(tcase, makers_cannot_make_wrong_ones);
}
int main(void) {
    secret_guard_libraries(); /* as the daemon does: what json_write() gives must be free()'s all the same */
    return run_tests("json", fill);
}
