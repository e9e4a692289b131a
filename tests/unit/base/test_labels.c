#include "base/labels.h"

#include "../run.h"

#include "base/alloc.h"
#include "base/json.h"

#include <string.h>

static void expect(const Labels *labels, const char *want) {
    OWN(json) json_t *object = labels_json(labels);
    OWN(text) char *text = json_write(object);
    ck_assert_str_eq(text, want);
}

START_TEST(sets_are_sorted_and_unique) {
    const Label pairs[] = {
        {"b", "1"}, {"a", "x"}, {"b", "2"}, {"empty", ""}, {"", "nameless"}, {"a", "y"}, {"gone", "z"}, {"gone", ""}};
    OWN(labels) Labels *labels = labels_new(pairs, COUNT_OF(pairs));
    expect(labels, "{\"a\":\"y\",\"b\":\"2\"}");
    ck_assert_str_eq(labels_at(labels, 0).name, "a");
    ck_assert_str_eq(labels_get(labels, "b"), "2");
    ck_assert_str_eq(labels_get(labels, "c"), "");
    ck_assert_str_eq(labels_get(NULL, "c"), "");
    const Label over[] = {{"a", ""}, {"c", "3"}};
    OWN(labels) Labels *second = labels_new(over, 2);
    OWN(labels) Labels *merged = labels_merge(labels, second);
    expect(merged, "{\"a\":\"y\",\"b\":\"2\",\"c\":\"3\"}");
    ck_assert(!labels_equal(labels, merged) && labels_equal(NULL, NULL));
    OWN(labels) Labels *none = labels_new(NULL, 0);
    ck_assert(labels_equal(none, NULL));
    OWN(labels) Labels *unsaid = labels_read(NULL);
    ck_assert(unsaid && labels_equal(unsaid, NULL));
    Labels *again = labels_ref(labels);
    ck_assert_ptr_null(labels_free(again));
}
END_TEST

/* `json` as the value of a list, with another one behind it. */
static Labels *pull(const char *json, bool *ret_goes_on) {
    OWN(text) char *list = text_format("[%s,7]", json);
    JsonPull in;
    double behind = 0;
    json_pull_init(&in, list, strlen(list), NULL);
    ck_assert(json_pull_open(&in, '[') && json_pull_item(&in));
    Labels *labels = labels_pull(&in);
    if (!labels) json_pull_skip(&in);
    *ret_goes_on = json_pull_item(&in) && json_pull_number(&in, &behind) && behind == 7 && !json_pull_item(&in) &&
        json_pull_end(&in);
    json_pull_deinit(&in);
    return labels;
}

static const struct {
    const char *json, *want; /* NULL: none */
    bool goes_on;
} pulled[] = {
    {"{}", "{}", true},
    {"{\"b\":\"2\",\"a\":\"\\u00e9 \\\"x\\\"\",\"\\u0062\":\"3\"}", "{\"a\":\"\xc3\xa9 \\\"x\\\"\",\"b\":\"3\"}", true},
    {"{\"a\":1,\"b\":{\"c\":\"d\"},\"e\":\"f\",\"g\":null}", "{\"e\":\"f\"}", true},
    {"{\"empty\":\"\",\"\":\"nameless\",\"a\":\"b\"}", "{\"a\":\"b\"}", true},
    {"[\"a\"]", NULL, true},
    {"\"a\"", NULL, true},
    {"null", NULL, true},
    {"{\"a\":\"b\",\"c\"", "{\"a\":\"b\"}", false},
};

START_TEST(sets_are_read_without_a_tree) {
    bool goes_on;
    OWN(labels) Labels *labels = pull(pulled[_i].json, &goes_on);
    ck_assert_int_eq(goes_on, pulled[_i].goes_on);
    ck_assert_int_eq(labels != NULL, pulled[_i].want != NULL);
    if (labels) expect(labels, pulled[_i].want);
    OWN(labels) Labels *read = labels_read(pulled[_i].json);
    expect(read, labels ? pulled[_i].want : "{}");
}
END_TEST

START_TEST(texts_are_bounded) {
    char name[LABEL_NAME_MAX + 50], value[LABEL_VALUE_MAX + 50];
    memset(name, 'n', sizeof name);
    memset(value, 'v', sizeof value);
    name[sizeof name - 1] = value[sizeof value - 1] = '\0';
    memcpy(value + LABEL_VALUE_MAX - 1, "\xc3\xa4", 2);
    OWN(labels) Labels *labels = labels_new(&(Label){name, value}, 1);
    ck_assert_uint_eq(strlen(labels_at(labels, 0).name), LABEL_NAME_MAX);
    ck_assert_uint_eq(strlen(labels_at(labels, 0).value), LABEL_VALUE_MAX - 1); /* no half character */
}
END_TEST

static const struct {
    const char *name;
    bool is_good;
} names[] = {{"", false}, {"1a", false}, {"a-b", false}, {"a b", false}, {"a:b", false}, {"\xc3\xa4", false},
    {"a\n", false}, {"a", true}, {"_", true}, {"A1_", true}};

START_TEST(names_are_those_of_prometheus) {
    ck_assert_int_eq(label_name_ok(names[_i].name), names[_i].is_good);
    char name[LABEL_NAME_MAX + 2] = "";
    memset(name, 'n', LABEL_NAME_MAX);
    ck_assert(label_name_ok(name));
    name[LABEL_NAME_MAX] = 'n';
    ck_assert(!label_name_ok(name));
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, sets_are_sorted_and_unique);
    tcase_add_loop_test(tcase, sets_are_read_without_a_tree, 0, COUNT_OF(pulled));
    tcase_add_test(tcase, texts_are_bounded);
    tcase_add_loop_test(tcase, names_are_those_of_prometheus, 0, COUNT_OF(names));
}
int main(void) { return run_tests("labels", fill); }
