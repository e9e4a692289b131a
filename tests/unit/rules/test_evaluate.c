/* A window's verdict with its reason; the early window beside the settled one. */
#include "rules/evaluate.h"

#include "../run.h"
#include "base/own.h"

#include <math.h>
#include <string.h>

enum { T = 1767322800, COUNT_MAX = 32 }; /* 2026-01-02 03:00:00 UTC */

/* Minutes from T on: X is 20, 0 is 5, h is 7, - is missing. */
typedef struct World {
    double values[COUNT_MAX], scratch[2 * COUNT_MAX];
    Samples samples;
} World;

static void world_draw(World *world, const char *drawing) {
    const size_t count = strlen(drawing);
    for (size_t i = 0; i < count; i++)
        world->values[i] = drawing[i] == 'X' ? 20 : drawing[i] == 'h' ? 7 : drawing[i] == '0' ? 5 : NAN;
    world->samples = (Samples){FOLD_NONE, T, 60, count, world->values, NULL};
}

static ThresholdRule rule_of(size_t n, size_t m, size_t range, MissingData missing) {
    return (ThresholdRule){.comparison = COMPARE_GT,
        .threshold = 10,
        .n = n,
        .m = m,
        .range = range,
        .missing = missing,
        .period_s = 60,
        .early = true};
}

static const struct Reason {
    const char *window;
    size_t n, m;
    MissingData missing;
    AlarmState previous, want;
    const char *reason;
} reasons[] = {
    {"0XXX", 3, 3, MISSING_MISSING, STATE_OK, STATE_ALARM,
        "Threshold Crossed: 3 out of the last 3 datapoints [20.0 (02/01/26 03:03:00), 20.0 (02/01/26 03:02:00), "
        "20.0 (02/01/26 03:01:00)] were greater than the threshold (10.0) (minimum 3 datapoints for OK -> ALARM "
        "transition)."},
    {"0", 1, 1, MISSING_MISSING, STATE_ALARM, STATE_OK,
        "Threshold Crossed: 1 out of the last 1 datapoints [5.0 (02/01/26 03:00:00)] was not greater than the "
        "threshold "
        "(10.0) (minimum 1 datapoint for ALARM -> OK transition)."},
    {"0X0", 3, 2, MISSING_MISSING, STATE_ALARM, STATE_OK,
        "Threshold Crossed: 2 out of the last 3 datapoints [5.0 (02/01/26 03:02:00), 5.0 (02/01/26 03:00:00)] were not "
        "greater than the threshold (10.0) (minimum 2 datapoints for ALARM -> OK transition)."},
    {"0X0", 3, 3, MISSING_MISSING, STATE_ALARM, STATE_OK,
        "Threshold Crossed: 2 out of the last 3 datapoints [5.0 (02/01/26 03:02:00), 5.0 (02/01/26 03:00:00)] were not "
        "greater than the threshold (10.0) (minimum 1 datapoint for ALARM -> OK transition)."},
    {"-0", 2, 1, MISSING_BREACHING, STATE_OK, STATE_ALARM,
        "Threshold Crossed: 1 out of the last 1 datapoints [5.0 (02/01/26 03:01:00)] was not greater than the "
        "threshold "
        "(10.0) and 1 missing datapoint was treated as [Breaching] (minimum 1 datapoint for OK -> ALARM transition)."},
    {"--", 2, 2, MISSING_BREACHING, STATE_OK, STATE_ALARM,
        "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as "
        "[Breaching]."},
    {"-", 1, 1, MISSING_NOT_BREACHING, STATE_ALARM, STATE_OK,
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as "
        "[NonBreaching]."},
    {"--", 1, 1, MISSING_MISSING, STATE_OK, STATE_INSUFFICIENT_DATA, "Insufficient Data: 1 datapoint was unknown."},
    {"---", 3, 3, MISSING_MISSING, STATE_OK, STATE_INSUFFICIENT_DATA, "Insufficient Data: 3 datapoints were unknown."},
    {"-X--", 3, 3, MISSING_MISSING, STATE_OK, STATE_ALARM,
        "Threshold Crossed: 1 out of the last 1 datapoints [20.0 (02/01/26 03:01:00)] was greater than the threshold "
        "(10.0) "
        "and no other datapoint was received (minimum 3 datapoints for OK -> ALARM transition)."},
    {"---X", 3, 3, MISSING_MISSING, STATE_INSUFFICIENT_DATA, STATE_OK,
        "Too Few Datapoints: 1 out of the last 1 datapoints [20.0 (02/01/26 03:03:00)] was greater than the threshold "
        "(10.0) (minimum 3 datapoints for OK -> ALARM transition)."},
    {"---", 3, 3, MISSING_IGNORE, STATE_ALARM, STATE_ALARM,
        "Unchanged: 0 of 3 datapoints were received, and missing data is ignored."},
};

START_TEST(words_of_the_reason) {
    const struct Reason *c = &reasons[_i];
    World world;
    world_draw(&world, c->window);
    const ThresholdRule rule = rule_of(c->n, c->m, world.samples.count, c->missing);
    const EvaluationMemory memory = {.state = c->previous};
    const int64_t end = T + 60 * (int64_t)world.samples.count;
    Evaluation got;
    evaluate(&rule, &world.samples, end, end, false, &memory, world.scratch, &got);
    ck_assert_int_eq(got.memory.state, c->want);
    ck_assert_str_eq(got.reason, c->reason);
    ck_assert_int_eq(got.changed, c->want != c->previous);
    ck_assert_int_eq(got.memory.window_end_s, end);
}
END_TEST

START_TEST(reason_is_bounded) {
    World world;
    world_draw(&world, "XXXXXXXXXXXX");
    for (size_t i = 0; i < world.samples.count; i++) world.values[i] = -1.2345678901234567e-300;
    ThresholdRule rule = rule_of(12, 12, 12, MISSING_MISSING);
    rule.threshold = -1.7976931348623157e308;
    Evaluation got;
    evaluate(
        &rule, &world.samples, T + 720, T + 720, false, &(EvaluationMemory){.state = STATE_OK}, world.scratch, &got);
    ck_assert_int_eq(got.memory.state, STATE_ALARM);
    ck_assert_ptr_nonnull(strstr(got.reason, "12 out of the last 12"));
    ck_assert_ptr_nonnull(strstr(got.reason, ", ...]")); /* five are shown */
}
END_TEST

START_TEST(hysteresis_names_its_threshold) {
    World world;
    world_draw(&world, "h");
    ThresholdRule rule = rule_of(1, 1, 1, MISSING_MISSING);
    rule.has_ok_threshold = true;
    rule.ok_threshold = 6;
    Evaluation got;
    evaluate(
        &rule, &world.samples, T + 60, T + 60, false, &(EvaluationMemory){.state = STATE_ALARM}, world.scratch, &got);
    ck_assert_int_eq(got.memory.state, STATE_ALARM);
    ck_assert_ptr_nonnull(strstr(got.reason, "greater than the ok_threshold (6.0)"));
}
END_TEST

/* `settled` minutes of the drawing are settled; the rest may still fill. */
static const struct Early {
    const char *drawing;
    size_t settled, n, m;
    bool grows_only, early_key;
    AlarmState previous, want;
    bool want_early;
} earlies[] = {
    {"000X", 3, 1, 1, true, true, STATE_OK, STATE_ALARM, true},
    {"000X", 3, 1, 1, false, true, STATE_OK, STATE_OK, false}, /* it may still sink */
    {"000X", 3, 1, 1, true, false, STATE_OK, STATE_OK, false}, /* early: false */
    {"XXX0", 3, 1, 1, true, true, STATE_ALARM, STATE_ALARM, false}, /* good and unsettled: clears nothing */
    {"00X0", 2, 1, 1, true, true, STATE_OK, STATE_OK, false}, /* the newest one is good so far: 1 of 1 */
    {"00X0", 2, 2, 1, true, true, STATE_OK, STATE_ALARM, true}, /* 1 of 2 */
    {"00X0X", 2, 3, 2, true, true, STATE_OK, STATE_ALARM, true},
    {"00X-X", 2, 2, 2, true, true, STATE_OK, STATE_OK, false}, /* an unsettled gap counts as good */
    {"0XXX", 2, 3, 3, true, true, STATE_OK, STATE_ALARM, true}, /* settled and unsettled together */
    {"----X", 4, 1, 1, true, true, STATE_INSUFFICIENT_DATA, STATE_ALARM, true},
    {"000-", 3, 1, 1, true, true, STATE_OK, STATE_OK, false},
};

START_TEST(unsettled_trips_but_never_clears) {
    const struct Early *c = &earlies[_i];
    World world;
    world_draw(&world, c->drawing);
    ThresholdRule rule = rule_of(c->n, c->m, 4, MISSING_MISSING);
    rule.early = c->early_key;
    const EvaluationMemory memory = {.state = c->previous};
    const int64_t end = T + 60 * (int64_t)c->settled;
    Evaluation got;
    evaluate(&rule, &world.samples, end, end, c->grows_only, &memory, world.scratch, &got);
    ck_assert_msg(got.memory.state == c->want, "%s: %s, %s", c->drawing, state_word(got.memory.state), got.reason);
    ck_assert_int_eq(got.early, c->want_early);
    ck_assert_int_eq(got.memory.early_until_s > 0, c->want_early);
    ck_assert(!c->want_early || (got.value == 20 && strstr(got.reason, "Early:")));
}
END_TEST

START_TEST(clears_only_past_what_tripped) {
    World world;
    const ThresholdRule rule = rule_of(1, 1, 3, MISSING_MISSING);
    EvaluationMemory memory = {.state = STATE_OK};
    Evaluation got;
    world_draw(&world, "00000X");
    evaluate(&rule, &world.samples, T + 180, T + 180, true, &memory, world.scratch, &got);
    ck_assert_int_eq(got.memory.state, STATE_ALARM);
    ck_assert_int_eq(got.memory.early_until_s, T + 360);
    memory = got.memory;
    world_draw(&world, "000000"); /* it is gone (a correction); still nothing settled says so */
    for (int64_t end = T + 240; end < T + 360; end += 60) {
        evaluate(&rule, &world.samples, end, end, true, &memory, world.scratch, &got);
        ck_assert_int_eq(got.memory.state, STATE_ALARM);
        ck_assert(got.held && !got.changed);
        ck_assert_ptr_nonnull(strstr(got.reason, "(02/01/26 03:06:00)"));
        memory = got.memory;
    }
    evaluate(&rule, &world.samples, T + 360, T + 360, true, &memory, world.scratch, &got);
    ck_assert(got.changed && got.memory.state == STATE_OK && got.memory.early_until_s == 0);
}
END_TEST

START_TEST(vanished_data_does_not_clear_it_either) {
    World world;
    const ThresholdRule rule = rule_of(1, 1, 3, MISSING_MISSING);
    const EvaluationMemory memory = {STATE_ALARM, T + 180, T + 360};
    Evaluation got;
    world_draw(&world, "------");
    evaluate(&rule, &world.samples, T + 300, T + 300, true, &memory, world.scratch, &got);
    ck_assert(got.held && got.memory.state == STATE_ALARM);
    evaluate(&rule, &world.samples, T + 360, T + 360, true, &got.memory, world.scratch, &got);
    ck_assert_int_eq(got.memory.state, STATE_INSUFFICIENT_DATA);
}
END_TEST

START_TEST(a_past_minute_has_no_early_window) {
    World world;
    const ThresholdRule rule = rule_of(1, 1, 3, MISSING_MISSING);
    Evaluation got;
    world_draw(&world, "00000X");
    evaluate(
        &rule, &world.samples, T + 180, T + 240, true, &(EvaluationMemory){.state = STATE_OK}, world.scratch, &got);
    ck_assert_int_eq(got.memory.state, STATE_OK);
}
END_TEST

START_TEST(a_settled_gap_stays_a_gap) {
    World world;
    const ThresholdRule rule = rule_of(2, 2, 3, MISSING_BREACHING);
    Evaluation got;
    world_draw(&world, "0--X"); /* three settled: the gaps are filled as breaching, the good one leaves the range */
    evaluate(
        &rule, &world.samples, T + 180, T + 180, true, &(EvaluationMemory){.state = STATE_OK}, world.scratch, &got);
    ck_assert(got.early && got.memory.state == STATE_ALARM);
    ck_assert_uint_eq(got.verdict.filled, 1);
}
END_TEST

/* Five requests a minute where there are any. */
static const struct Few {
    const char *drawing;
    double least;
    MissingData missing;
    AlarmState want;
    const char *words; /* in the reason; NULL: nothing of it */
} fews[] = {
    {"XXX", 5, MISSING_MISSING, STATE_ALARM, NULL}, {"XXX", 15, MISSING_MISSING, STATE_ALARM, NULL},
    {"XXX", 16, MISSING_MISSING, STATE_INSUFFICIENT_DATA,
        " Too few requests: 15 in the window, minimum_requests is 16."},
    {"--X", 6, MISSING_NOT_BREACHING, STATE_OK, "[NonBreaching]. Too few requests: 5 in the window"},
    {"--X", 6, MISSING_IGNORE, STATE_ALARM, " Too few requests: 5 in the window"},
    {"---", 6, MISSING_MISSING, STATE_INSUFFICIENT_DATA, NULL}, /* nothing at all is not too few */
};

START_TEST(a_window_of_too_few_requests_says_nothing) {
    const struct Few *c = &fews[_i];
    World world;
    double counts[COUNT_MAX], scratch[2 * COUNT_MAX];
    world_draw(&world, c->drawing);
    for (size_t i = 0; i < world.samples.count; i++) counts[i] = isnan(world.values[i]) ? NAN : 5;
    world.samples.counts = counts;
    ThresholdRule rule = rule_of(1, 1, 3, c->missing);
    rule.samples_min = c->least;
    Evaluation got;
    evaluate(&rule, &world.samples, T + 180, T + 180, false, &(EvaluationMemory){.state = STATE_ALARM}, scratch, &got);
    ck_assert_msg(got.memory.state == c->want, "%s of %g: %s", c->drawing, c->least, got.reason);
    ck_assert_int_eq(got.too_few, c->words != NULL);
    ck_assert_msg(!c->words || strstr(got.reason, c->words), "%s", got.reason);
    ck_assert(c->words || !strstr(got.reason, "Too few requests"));
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, words_of_the_reason, 0, (int)COUNT_OF(reasons));
    tcase_add_test(tcase, reason_is_bounded);
    tcase_add_test(tcase, hysteresis_names_its_threshold);
    tcase_add_loop_test(tcase, unsettled_trips_but_never_clears, 0, (int)COUNT_OF(earlies));
    tcase_add_test(tcase, clears_only_past_what_tripped);
    tcase_add_test(tcase, vanished_data_does_not_clear_it_either);
    tcase_add_test(tcase, a_past_minute_has_no_early_window);
    tcase_add_test(tcase, a_settled_gap_stays_a_gap);
    tcase_add_loop_test(tcase, a_window_of_too_few_requests_says_nothing, 0, (int)COUNT_OF(fews));
}

int main(void) { return run_tests("evaluate", fill); }
