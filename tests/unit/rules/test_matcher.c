/* Matchers: what is none, where the fault stands, and what they match. */
#include "rules/matcher.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/json.h"

#include <string.h>

static const struct Bad {
    const char *text;
    size_t column;
    const char *what;
} bad[] = {
    {"", 1, "there is no matcher"},
    {"  \n", 4, "there is no matcher"},
    {"{", 2, "a brace is not closed"},
    {"{a=\"b\"", 7, "a brace is not closed"},
    {"{a=\"}", 4, "a quote is not closed"},
    {"a", 2, "an operator is expected here"},
    {"a b", 3, "an operator is expected here"},
    {"a ~ b", 3, "an operator is expected here"},
    {"a!b", 2, "an operator is expected here"},
    {"a==b", 2, "`==` is no operator"},
    {"=b", 1, "a label's name is expected here"},
    {"a=b,,c=d", 5, "a label's name is expected here"},
    {",", 1, "a label's name is expected here"},
    {"{,}", 2, "a label's name is expected here"},
    {"{{}}", 2, "a label's name is expected here"},
    {"'a'=b", 1, "a label's name is expected here"},
    {"\"\"=b", 1, "a label's name is empty"},
    {"\"a=b", 1, "a quote is not closed"},
    {"\"a\"", 4, "an operator is expected here"},
    {"\xc3\xa4=\"b", 3, "a quote is not closed"}, /* columns count characters */
    {"a=\"b\\\"", 3, "a quote is not closed"},
    {"a=\"b\"c", 6, "a comma is expected here"},
    {"a=\"b\" c=\"d\"", 7, "a comma is expected here"},
    {"a=b\"c", 4, "a double quote inside a bare value"},
    {"a=b\"", 4, "a double quote inside a bare value"},
    {"a='b'", 3, "a value is quoted with `'`"},
    {"a=`b`", 3, "a value is quoted with ``"},
    {"a=~x{1,2}", 9, "an operator is expected here"},
    {"a=~(", 5, "the regular expression cannot be read: missing closing parenthesis"},
    {"b=c,a=~\"x(\"", 11, "the regular expression cannot be read: missing closing parenthesis"},
    {"a=~*", 4, "the regular expression cannot be read: "},
    {"a=~\\C", 6, "the regular expression cannot be read: "},
    {"a=~((((z{999}){999}){999}){999})", 4, "the regular expression cannot be read: "},
    {"a=\x01", 3, "a control character"},
    {"a=\x7f", 3, "a control character"},
    {"a=\xff", 3, "a byte that is no UTF-8"},
    {"a=b\xc3", 4, "a byte that is no UTF-8"},
};

START_TEST(refuses) {
    const struct Bad *c = &bad[_i];
    OWN(matchers) Matchers *list = matchers_new();
    Fault fault = {0};
    ck_assert(matchers_add_text(list, "kept=1", &fault));
    ck_assert_msg(!matchers_add_text(list, c->text, &fault), "`%s` was taken", c->text);
    const bool is_any_column = strstr(c->text, "999"); /* where a pattern became too large is PCRE2's own business */
    ck_assert_msg(is_any_column || fault.column == c->column, "`%s`: column %zu", c->text, fault.column);
    ck_assert_msg(strncmp(fault.what, c->what, strlen(c->what)) == 0, "`%s`: %s", c->text, fault.what);
    ck_assert_ptr_nonnull(fault.remedy);
    ck_assert_uint_eq(matchers_count(list), 1); /* nothing of a text with a fault */
    ck_assert(!matchers_add_text(list, c->text, NULL));
}
END_TEST

static char *repeated(const char *start, char c, size_t times, const char *end) {
    OWN(text) char *middle = alloc_zeroed(times + 1, 1);
    memset(middle, c, times);
    return text_format("%s%s%s", start, middle, end);
}

static bool takes(const char *text, Fault *fault) {
    OWN(matchers) Matchers *list = matchers_new();
    return matchers_add_text(list, text, fault);
}

START_TEST(has_bounds) {
    const struct {
        const char *start;
        size_t good, bad;
        const char *what;
    } sizes[] = {{"", LABEL_NAME_MAX, LABEL_NAME_MAX + 1, "a name is longer than 128 bytes"},
        {"a=", MATCHER_VALUE_MAX - 2, MATCHER_VALUE_MAX - 1, "a value is longer than 4096 bytes"},
        {"a=~", MATCHER_VALUE_MAX - 2, MATCHER_VALUE_MAX - 1, "a value is longer than 4096 bytes"},
        {"a=b", 0, MATCHER_TEXT_MAX, "longer than 65536 bytes"}};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        OWN(text) char *good = repeated(sizes[i].start, 'x', sizes[i].good, "=b");
        OWN(text) char *large = repeated(sizes[i].start, 'x', sizes[i].bad, "=b");
        Fault fault = {0};
        ck_assert_msg(takes(good, &fault), "%zu: %s", i, fault.what);
        ck_assert(!takes(large, &fault));
        ck_assert_str_eq(fault.what, sizes[i].what);
    }
    OWN(matchers) Matchers *list = matchers_new();
    Fault fault = {0};
    for (size_t i = 0; i < MATCHERS_MAX; i++) ck_assert(matchers_add_text(list, "a=b", NULL));
    ck_assert(!matchers_add_text(list, "a=b", &fault));
    ck_assert_str_eq(fault.what, "more than 100 matchers in one list");
}
END_TEST

static const struct Read {
    const char *text, *want; /* as matchers_text() shows it */
} reads[] = {
    {"a=b", "{a=\"b\"}"},
    {" a = b ", "{a=\"b\"}"},
    {"a\n=\tb", "{a=\"b\"}"},
    {"a!=b", "{a!=\"b\"}"},
    {"a=~b", "{a=~\"b\"}"},
    {"a!~b", "{a!~\"b\"}"},
    {"a!~\"b\"", "{a!~\"b\"}"},
    {"a=", "{a=\"\"}"},
    {"a=,b=c", "{a=\"\",b=\"c\"}"},
    {"a=\"\"", "{a=\"\"}"},
    {"a=b c", "{a=\"b c\"}"},
    {"a=\" b \"", "{a=\" b \"}"},
    {"a=b=c", "{a=\"b=c\"}"},
    {"a=b}", "{a=\"b}\"}"},
    {"a=~x{2}", "{a=~\"x{2}\"}"},
    {"{a=~x{2}}", "{a=~\"x{2}\"}"},
    {"a=\"b,c\"", "{a=\"b,c\"}"},
    {"a=b\\,c", "{a=\"b\\\\,c\"}"},
    {"a=~\\d+", "{a=~\"\\\\d+\"}"},
    {"a=~\"\\d+\"", "{a=~\"\\\\d+\"}"},
    {"a=~\"\\\\d+\"", "{a=~\"\\\\d+\"}"},
    {"a=\"say \\\"hi\\\"\"", "{a=\"say \\\"hi\\\"\"}"},
    {"a=\"x\\ny\"", "{a=\"x\\ny\"}"},
    {"a=x\\ny", "{a=\"x\\ny\"}"},
    {"a=b\\", "{a=\"b\\\\\"}"},
    {"a=b,c=d", "{a=\"b\",c=\"d\"}"},
    {"a=b , c=d ,", "{a=\"b\",c=\"d\"}"},
    {"{a=\"b\",c=~\"d\"}", "{a=\"b\",c=~\"d\"}"},
    {" { a=b , c=d, } ", "{a=\"b\",c=\"d\"}"},
    {"{}", "{}"},
    {" { } ", "{}"},
    {"\"a b\"=c", "{\"a b\"=\"c\"}"},
    {"\"a\\\"{,}\"=c", "{\"a\\\"{,}\"=\"c\"}"},
    {"\"a\"=c", "{a=\"c\"}"},
    {"a:b_1=c", "{a:b_1=\"c\"}"},
    {"a-b=c", "{\"a-b\"=\"c\"}"},
    {"1a=c", "{\"1a\"=\"c\"}"},
    {"\xc3\xa4=\xe2\x82\xac", "{\"\xc3\xa4\"=\"\xe2\x82\xac\"}"},
};

START_TEST(reads_and_shows) {
    OWN(matchers) Matchers *list = matchers_new(), *again = matchers_new(), *from_json = matchers_new();
    Fault fault = {0};
    ck_assert_msg(matchers_add_text(list, reads[_i].text, &fault), "%s: %s", reads[_i].text, fault.what);
    OWN(text) char *shown = matchers_text(list);
    ck_assert_str_eq(shown, reads[_i].want);
    ck_assert(matchers_add_text(again, shown, NULL));
    ck_assert(matchers_equal(list, again));
    OWN(json) json_t *json = matchers_json(list);
    ck_assert(matchers_add_json(from_json, json, &fault));
    ck_assert(matchers_equal(list, from_json));
}
END_TEST

/* Over {alertname="High CPU", env="prod", path="a\nb"}. */
static const struct Match {
    const char *text;
    bool want, want_empty; /* for that set; for one without these labels */
} matches[] = {
    {"{}", true, true},
    {"env=prod", true, false},
    {"env=\"pro\"", false, false},
    {"env!=prod", false, true},
    {"env!=test", true, true},
    {"absent=\"\"", true, true},
    {"absent!=\"\"", false, false},
    {"env=\"\"", false, true},
    {"env!=\"\"", true, false},
    {"env=~pro", false, false}, /* anchored at the end */
    {"env=~rod", false, false}, /* and at the start */
    {"env=~pro.", true, false},
    {"env=~p|pr|prod", true, false}, /* all alternatives are tried */
    {"env=~test|prod", true, false},
    {"env=~test|pro", false, false},
    {"env!~pro", true, true},
    {"env!~pro.", false, true},
    {"env=~\".*\"", true, true},
    {"env=~.+", true, false},
    {"env=~\"\"", false, true},
    {"env!~\"\"", true, false},
    {"env!~.+", false, true},
    {"absent=~x*", true, true},
    {"env=~PROD", false, false},
    {"env=~(?i)PROD", true, false},
    {"path=~a.b", false, false}, /* a dot is no line's end */
    {"path=~(?s)a.b", true, false},
    {"path=~a", false, false},
    {"alertname=High CPU,env=prod", true, false},
    {"alertname=High CPU,env=test", false, false},
    {"alertname!=x,env!=y", true, true},
};

START_TEST(matches_labels) {
    const struct Match *c = &matches[_i];
    const Label pairs[] = {{"env", "prod"}, {"alertname", "High CPU"}, {"path", "a\nb"}};
    OWN(labels) Labels *labels = labels_new(pairs, COUNT_OF(pairs)), *other = labels_new(NULL, 0);
    OWN(matchers) Matchers *list = matchers_new();
    Fault fault = {0};
    unsigned limits = 0;
    ck_assert_msg(matchers_add_text(list, c->text, &fault), "%s", fault.what);
    ck_assert_msg(matchers_match(list, labels, &limits) == c->want, "%s", c->text);
    ck_assert_msg(matchers_match_empty(list) == c->want_empty, "%s: empty", c->text);
    ck_assert_int_eq(matchers_match(list, other, &limits), c->want_empty);
    ck_assert_uint_eq(limits, 0);
}
END_TEST

/* Over a value of so many x. Each would be decided with PCRE2's own, larger limits. */
static const struct Limit {
    const char *pattern;
    size_t length;
    unsigned limits;
} limits_of[] = {
    {"a=~(x+x+)+[yz]", 8, 0},
    {"a=~(x+x+)+[yz]", 20, 1}, /* a million matches */
    {"a!~(x+x+)+[yz]", 20, 1}, /* for either sign: nothing is muted by what is unknown */
    {"a!~(x+x+)+[yz]", 1000, 1},
    {"a=~(x(?1)?)", 1020, 1}, /* a thousand deep */
    {"a!~(x(?1)?)y", 100, 0},
};

START_TEST(gives_up_at_a_limit) {
    OWN(text) char *value = repeated("", 'x', limits_of[_i].length, "");
    OWN(labels) Labels *labels = labels_new(&(Label){"a", value}, 1);
    OWN(matchers) Matchers *list = matchers_new();
    unsigned limits = 0;
    ck_assert(matchers_add_text(list, limits_of[_i].pattern, NULL));
    const bool got = matchers_match(list, labels, &limits);
    ck_assert_uint_eq(limits, limits_of[_i].limits);
    ck_assert_int_eq(got, !limits && strstr(limits_of[_i].pattern, "!~"));
}
END_TEST

static const struct BadJson {
    const char *text, *what;
} bad_json[] = {
    {"{}", "`matchers` must be a list"},
    {"null", "`matchers` must be a list"},
    {"[1]", "a matcher needs `name` and `value`, as texts"},
    {"[{}]", "a matcher needs `name` and `value`, as texts"},
    {"[{\"name\":\"a\",\"isRegex\":false}]", "a matcher needs `name` and `value`, as texts"},
    {"[{\"name\":\"a\",\"value\":1,\"isRegex\":false}]", "a matcher needs `name` and `value`, as texts"},
    {"[{\"name\":\"a\",\"value\":\"b\"}]", "a matcher needs `isRegex`, true or false"},
    {"[{\"name\":\"a\",\"value\":\"b\",\"isRegex\":0}]", "a matcher needs `isRegex`, true or false"},
    {"[{\"name\":\"a\",\"value\":\"b\",\"isRegex\":false,\"isEqual\":\"x\"}]",
        "`isEqual` of a matcher must be true or false"},
    {"[{\"name\":\"\",\"value\":\"b\",\"isRegex\":false}]", "a matcher has no name"},
    {"[{\"name\":\"a\",\"value\":\"(\",\"isRegex\":true}]",
        "the regular expression cannot be read: missing closing parenthesis"},
    {"[{\"name\":\"a\",\"value\":\"b\",\"isRegex\":false},[]]", "a matcher needs `name` and `value`, as texts"},
};

START_TEST(refuses_json) {
    OWN(json) json_t *json = json_loads(bad_json[_i].text, JSON_DECODE_ANY, NULL);
    OWN(matchers) Matchers *list = matchers_new();
    Fault fault = {0};
    ck_assert(!matchers_add_json(list, json, &fault));
    ck_assert_str_eq(fault.what, bad_json[_i].what);
    ck_assert_uint_eq(matchers_count(list), 0);
}
END_TEST

START_TEST(equal_without_isEqual) {
    OWN(json) json_t *json = json_loads("[{\"name\":\"a\",\"value\":\"b\",\"isRegex\":false}]", 0, NULL);
    OWN(matchers) Matchers *list = matchers_new();
    ck_assert(matchers_add_json(list, json, NULL));
    OWN(json) json_t *out = matchers_json(list);
    OWN(text) char *text = json_write(out);
    ck_assert_str_eq(text, "[{\"isEqual\":true,\"isRegex\":false,\"name\":\"a\",\"value\":\"b\"}]");
}
END_TEST

static const struct Pair {
    const char *a, *b;
    bool equal;
} pairs_of_lists[] = {
    {"a=b,c=d", "c=d,a=b", true},
    {"a=b,a=b", "a=b", false},
    {"a=b,a=b,c=d", "a=b,c=d,c=d", false},
    {"a=b", "a!=b", false},
    {"a=b", "a=~b", false},
    {"a=b", "a=c", false},
    {"a=b", "b=b", false},
    {"{}", "{}", true},
};

START_TEST(compares) {
    OWN(matchers) Matchers *a = matchers_new(), *b = matchers_new();
    ck_assert(matchers_add_text(a, pairs_of_lists[_i].a, NULL) && matchers_add_text(b, pairs_of_lists[_i].b, NULL));
    ck_assert_int_eq(matchers_equal(a, b), pairs_of_lists[_i].equal);
    ck_assert_int_eq(matchers_equal(b, a), pairs_of_lists[_i].equal);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, refuses, 0, COUNT_OF(bad));
    tcase_add_test(tcase, has_bounds);
    tcase_add_loop_test(tcase, reads_and_shows, 0, COUNT_OF(reads));
    tcase_add_loop_test(tcase, matches_labels, 0, COUNT_OF(matches));
    tcase_add_loop_test(tcase, gives_up_at_a_limit, 0, COUNT_OF(limits_of));
    tcase_add_loop_test(tcase, refuses_json, 0, COUNT_OF(bad_json));
    tcase_add_test(tcase, equal_without_isEqual);
    tcase_add_loop_test(tcase, compares, 0, COUNT_OF(pairs_of_lists));
}

int main(void) { return run_tests("matcher", fill); }
