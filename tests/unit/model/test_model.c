/* The daemon against the reference model, by many configurations. SEED and RUNS say which are tried, HOURS how long
 * each is. */
#include "daemon.h"
#include "days.h"

#include "../run.h"

#include <stdio.h>

enum { HOURS = 2, RUNS = 12 };

START_TEST(says_what_the_model_says) {
    const int64_t runs = days_number("RUNS", RUNS), hours = days_number("HOURS", HOURS);
    const uint64_t first = (uint64_t)days_number("SEED", 1);
    DayFigures figures = {0};
    for (int64_t i = 0; i < runs; i++) days_run(first + (uint64_t)i, hours, false, &figures);
    ck_assert_uint_gt(figures.messages, 0);
    printf(
        "figure: %lld random schedules of %lld virtual hours with %zu restarts and %zu power cuts, %zu messages equal "
        "the model, SEED=%llu\n",
        (long long)runs, (long long)hours, figures.restarts, figures.cuts, figures.messages, (unsigned long long)first);
    fflush(stdout);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_set_timeout(tcase, 0); /* meson's own */
    tcase_add_unchecked_fixture(tcase, daemon_folder_make, daemon_folder_remove);
    tcase_add_test(tcase, says_what_the_model_says);
}

int main(void) { return run_tests("model", fill); }
