#include "base/problems.h"

#include "../run.h"

#include "base/alloc.h"
#include "base/json.h"

#include <string.h>

static char *printed(const Problems *all) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    problems_print(all, out);
    fclose(out);
    return text;
}

START_TEST(lines_come_in_file_order) {
    OWN(problems) Problems *all = problems_new();
    ck_assert(!problem_add(all, (Place){"b.yaml", 2, 1}, NULL, "%s is wrong", "x"));
    problem_warn(all, (Place){"a.yaml", 1, 1}, "do so", "careful");
    problem_add(all, (Place){"b.yaml", 1, 9}, "a\nb", "esc \x1b here");
    problem_add(all, (Place){"b.yaml", 1, 9}, NULL, "second at one place");
    problem_add(all, (Place){0}, NULL, "nowhere");
    problem_add(all, (Place){"b.yaml", 1, 2}, NULL, "left of it");
    ck_assert_uint_eq(problems_errors(all), 5);
    OWN(text) char *text = printed(all);
    ck_assert_str_eq(text,
        "b.yaml:1:2: error: left of it\nb.yaml:1:9: error: esc \\x1b here (a\\x0ab)\nb.yaml:1:9: error: second at one "
        "place\n"
        "b.yaml:2:1: error: x is wrong\na.yaml:1:1: warning: careful (do so)\n-:1:1: error: nowhere\n");
    OWN(json) json_t *list = problems_json(all);
    ck_assert_uint_eq(json_array_size(list), 6);
    ck_assert_str_eq(json_string_value(json_array_get(list, 3)), "b.yaml:2:1: error: x is wrong");
}
END_TEST

START_TEST(past_the_bound_they_are_counted) {
    OWN(problems) Problems *all = problems_new();
    for (uint32_t i = 0; i < PROBLEMS_SHOWN + 3; i++) problem_add(all, (Place){"a", i + 1, 1}, NULL, "wrong");
    ck_assert_uint_eq(problems_errors(all), PROBLEMS_SHOWN + 3);
    OWN(text) char *text = printed(all);
    ck_assert_ptr_nonnull(strstr(text, "\na:1001:1: error: 3 more are not shown (mend the others first)\n"));
    ck_assert_ptr_null(strstr(text, "a:1002"));
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, lines_come_in_file_order);
    tcase_add_test(tcase, past_the_bound_they_are_counted);
}
int main(void) { return run_tests("problems", fill); }
