/* Instances in the order and with the name that a person looks for. */
#include "ctl/ranked.h"

#include "../run.h"
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static json_t *read_list(const char *text) {
    json_t *list = json_loads(text, 0, NULL);
    ck_assert_ptr_nonnull(list);
    return list;
}

START_TEST(the_worst_stands_first) {
    OWN(json)
    json_t *list =
        read_list("[{\"name\":\"a\",\"state\":\"OK\",\"fingerprint\":\"1\"},"
                  "{\"name\":\"b\",\"state\":\"INSUFFICIENT_DATA\",\"fingerprint\":\"2\"},"
                  "{\"name\":\"c\",\"state\":\"ALARM\",\"labels\":{\"service\":\"y\"},\"fingerprint\":\"3\"},"
                  "{\"name\":\"c\",\"state\":\"ALARM\",\"labels\":{\"service\":\"x\"},\"fingerprint\":\"5\"},"
                  "{\"name\":\"c\",\"state\":\"ALARM\",\"labels\":{\"service\":\"x\"},\"fingerprint\":\"4\"},"
                  "{}]");
    const json_t **ranked = ranked_new(list);
    static const char *const want[] = {"4", "5", "3", "", "2", "1"};
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        const char *got = json_text(ranked[i], "fingerprint");
        ck_assert_str_eq(got ? got : "", want[i]);
    }
    free(ranked);
}
END_TEST

static const struct Named {
    const char *instance, *want;
} named[] = {
    {"{\"name\":\"faults\",\"source\":\"xray\",\"labels\":{\"service\":\"checkout\"}}", "faults checkout"},
    {"{\"name\":\"faults\",\"source\":\"xray\",\"labels\":{\"service\":\"checkout\",\"edge_to\":\"payments\"}}",
        "faults checkout → payments"},
    {"{\"name\":\"insights\",\"source\":\"xray\",\"labels\":{\"insight\":\"f9a1\",\"xray_group\":\"shop\"}}",
        "insights f9a1"},
    {"{\"name\":\"faults\",\"source\":\"xray\",\"labels\":{}}", "faults"},
    {"{\"name\":\"cpu\",\"source\":\"cloudwatch\",\"labels\":{\"service\":\"checkout\"}}", "cpu"},
    {"{}", ""},
};

START_TEST(a_series_is_named_behind_its_alarm) {
    OWN(json) json_t *instance = read_list(named[_i].instance);
    OWN(text) char *name = ranked_name(instance);
    ck_assert_str_eq(name, named[_i].want);
}
END_TEST

static void fill(TCase *tests) {
    tcase_add_test(tests, the_worst_stands_first);
    tcase_add_loop_test(tests, a_series_is_named_behind_its_alarm, 0, COUNT_OF(named));
}

int main(void) { return run_tests("ranked", fill); }
