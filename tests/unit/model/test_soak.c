/* A day with a full disk and receivers that take nothing, again and again: nothing is lost, and all is as the reference
 * model says. SEED and RUNS say which days are tried, HOURS how long each is. */
#include "daemon.h"
#include "days.h"

#include "../run.h"

#include <stdio.h>

enum { HOURS = 24, RUNS = 1 };

START_TEST(faults_change_nothing_of_what_people_must_hear) {
    const int64_t runs = days_number("RUNS", RUNS), hours = days_number("HOURS", HOURS);
    const uint64_t first = (uint64_t)days_number("SEED", 1);
    DayFigures figures = {0};
    for (int64_t i = 0; i < runs; i++) days_run(first + (uint64_t)i, hours, true, &figures);
    ck_assert_uint_gt(figures.messages, 0);
    printf("figure: %lld times %lld virtual hours with %zu full disks, %zu dead receivers, %zu restarts: %zu messages "
           "equal the model, SEED=%llu\n",
        (long long)runs, (long long)hours, figures.full, figures.outages, figures.restarts, figures.messages,
        (unsigned long long)first);
    fflush(stdout);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_set_timeout(tcase, 0); /* meson's own */
    tcase_add_unchecked_fixture(tcase, daemon_folder_make, daemon_folder_remove);
    tcase_add_test(tcase, faults_change_nothing_of_what_people_must_hear);
}

int main(void) { return run_tests("soak", fill); }
