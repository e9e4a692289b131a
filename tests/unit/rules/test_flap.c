/* Flap detection: every flap entry of alarm-cases.json, and how it begins. */
#include "rules/flap.h"

#include "../run.h"
#include "base/own.h"
#include "cases.h"

#include <math.h>

static void check_case(const json_t *c) {
    const FlapRule rule = {figure(c, "low_threshold"), figure(c, "high_threshold")};
    const json_t *history = json_object_get(c, "history_oldest_first");
    ck_assert_uint_eq(json_array_size(history), FLAP_STATES);
    FlapMemory memory = {.has_begun = true, .is_flapping = json_is_true(json_object_get(c, "was_flapping"))};
    for (size_t i = 0; i + 1 < FLAP_STATES; i++) /* the step moves these one to the left */
        memory.states[i + 1] = (unsigned char)json_integer_value(json_array_get(history, i));
    const bool was = memory.is_flapping, want = json_is_true(json_object_get(c, "expected_flapping"));
    const AlarmState newest = (AlarmState)json_integer_value(json_array_get(history, FLAP_STATES - 1));
    const FlapChange change = flap_step(&rule, &memory, newest);
    const double percent = flap_percent(&memory);
    ck_assert_msg(fabs(percent - figure(c, "expected_percent")) < 0.00005, "%s: %f", word(c, "name"), percent);
    ck_assert_msg(memory.is_flapping == want, "%s", word(c, "name"));
    ck_assert_int_eq(change, was == want ? FLAP_SAME : want ? FLAP_STARTED : FLAP_STOPPED);
}

START_TEST(published) {
    json_t *list = cases_of("flap_cases");
    for (size_t i = 0; i < json_array_size(list); i++) check_case(json_array_get(list, i));
    json_decref(list);
}
END_TEST

/* States newest right (0 OK, A ALARM, I no data), and what each step tells: `-` nothing, `+` started, `.` stopped. */
static const struct Run {
    double low, high;
    const char *states, *want;
} runs[] = {
    {20, 30, "AAAAAAA", "-------"}, /* the first state is no change */
    {5, 5, "AAA", "---"},
    {20, 30, "0A", "--"}, /* one change is 6.25 percent */
    {20, 30, "0A0A0A0", "------+"},
    {20, 30, "0AIA0", "-----"}, /* any change counts */
    {20, 30, "0AIA0IA", "------+"},
    {6.25, 6.25, "0A", "-+"}, /* at high it starts */
    {6.26, 6.26, "0A", "--"},
    {20, 30, "0A0A0A00000000000000000", "------+---------------."},
};

START_TEST(runs_along) {
    const FlapRule rule = {runs[_i].low, runs[_i].high};
    FlapMemory memory = {0};
    char got[64] = "";
    for (size_t i = 0; runs[_i].states[i]; i++) {
        const char c = runs[_i].states[i];
        const AlarmState state = c == 'A' ? STATE_ALARM : c == 'I' ? STATE_INSUFFICIENT_DATA : STATE_OK;
        got[i] = "-+."[flap_step(&rule, &memory, state)];
    }
    ck_assert_str_eq(got, runs[_i].want);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, published);
    tcase_add_loop_test(tcase, runs_along, 0, COUNT_OF(runs));
}

int main(void) { return run_tests("flap", fill); }
