#include "control/request.h"

#include "../run.h"

#include <string.h>

static const char *const wrong[] = {"", "x", "*", "http://tocsin/v1", "/%", "/%4", "/%zz", "/%00", "/a%1bb", "/%7f",
    "/\x01", "/%c3", "/\xff", "/%ed%a0%80", "/a?b=%", "/a?%0d=1", "/1/2/3/4/5/6/7/8/9",
    "/?a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a"};
START_TEST(wrong_is_refused) {
    Error err = {0};
    ck_assert_ptr_null(target_parse(wrong[_i], &err));
    ck_assert_int_eq(err.kind, ERROR_INPUT);
}
END_TEST

START_TEST(length_is_bounded) {
    static char text[TARGET_MAX + 2] = "/";
    memset(text + 1, 'a', TARGET_MAX);
    Error err = {0};
    ck_assert_ptr_null(target_parse(text, &err));
    text[TARGET_MAX] = 0;
    OWN(target) Target *target = target_parse(text, &err);
    ck_assert_ptr_nonnull(target);
}
END_TEST

START_TEST(parts_are_decoded_after_the_cut) {
    Error err = {0};
    OWN(target) Target *target = target_parse("/v1/a%2Fb+c/?x=1%262&y&x=a+b&=z&&q=%C3%A9", &err);
    ck_assert_ptr_nonnull(target);
    ck_assert_uint_eq(target->segment_count, 2);
    ck_assert_str_eq(target->segments[1], "a/b+c");
    ck_assert_str_eq(target_parameter(target, "x"), "a b"); /* the last one */
    ck_assert_str_eq(target_parameter(target, "y"), "");
    ck_assert_str_eq(target_parameter(target, "q"), "é");
    ck_assert_ptr_null(target_parameter(target, "z"));
    ck_assert_str_eq(target_stranger(target, (const char *const[]){"x", "y", NULL}), "");
    ck_assert_ptr_null(target_stranger(target, (const char *const[]){"x", "y", "q", "", NULL}));
}
END_TEST

static const struct Host {
    const char *host;
    bool literal;
} hosts[] = {{"", false}, {"127.0.0.1", true}, {"127.0.0.1:9464", true}, {"localhost", true}, {"LOCALHOST:1", true},
    {"[::1]:9464", true}, {"[::1]", true}, {"::1", false}, {"[::1", false}, {"[::1]x", false}, {"127.0.0.1:", true},
    {"127.0.0.1:x", false}, {"127.0.0.1:1234567", false}, {"evil.example", false}, {"127.0.0.1.evil.example", false},
    {"localhost.evil.example:80", false}, {"0x7f.1", false}, {"2130706433", false}, {"[127.0.0.1]", false},
    {"[0000000000000000000000000000000000000000000000000000::1]", false}};
START_TEST(only_literal_hosts_pass) {
    ck_assert_msg(host_is_literal(hosts[_i].host) == hosts[_i].literal, "%s", hosts[_i].host);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, wrong_is_refused, 0, (int)(sizeof wrong / sizeof *wrong));
    tcase_add_test(tcase, length_is_bounded);
    tcase_add_test(tcase, parts_are_decoded_after_the_cut);
    tcase_add_loop_test(tcase, only_literal_hosts_pass, 0, (int)(sizeof hosts / sizeof *hosts));
}
int main(void) { return run_tests("request", fill); }
