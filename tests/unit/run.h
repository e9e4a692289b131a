/* The main of a unit test: one suite, run to the end, its status as meson wants it. */
#ifndef TOCSIN_TESTS_RUN_H
#define TOCSIN_TESTS_RUN_H

#include <check.h>
#include <stdint.h>
#include <stdlib.h>

/* A limit that a test lets run out, and that what is before it must keep: CK_TIMEOUT_MULTIPLIER, which Check itself
 * reads, says how much slower all is under valgrind or a sanitizer. */
static inline int64_t run_limit_ms(int64_t limit_ms) {
    const char *slower = getenv("CK_TIMEOUT_MULTIPLIER");
    const int64_t times = slower ? strtol(slower, NULL, 10) : 1;
    return limit_ms * (times > 1 ? times : 1);
}

static inline int run_suite(Suite *suite) {
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* One test, once for each of `cases`: `_i` is the case's number. */
static inline int run_table(const char *name, const TTest *test, size_t cases) {
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    tcase_add_loop_test(tcase, test, 0, (int)cases);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

/* Several tests: `fill` adds them (tcase_add_test, tcase_add_loop_test). */
static inline int run_tests(const char *name, void (*fill)(TCase *tcase)) {
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    fill(tcase);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

#endif
