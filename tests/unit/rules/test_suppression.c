/* Action suppression: every suppression entry of alarm-cases.json, and what the papers leave open. */
#include "rules/suppression.h"

#include "../run.h"
#include "base/buffer.h"
#include "cases.h"

#include <string.h>

/* What happens from 0 to `until`, a step each unit: `t STATE;` for each that is told. */
typedef struct World {
    SuppressionRule rule;
    SuppressionMemory memory;
    AlarmState composite, suppressor;
    Buffer told;
} World;

static void act(World *w, int64_t now) {
    const SuppressionActions actions = suppression_step(&w->rule, &w->memory, w->composite, w->suppressor, now);
    for (size_t i = 0; i < actions.count; i++)
        buffer_format(&w->told, "%jd %s;", (intmax_t)now, state_word(actions.states[i]));
}

static void take_events(World *w, const json_t *events, int64_t now) {
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        if ((int64_t)figure(event, "t") != now) continue;
        if (word(event, "composite")) w->composite = state_of(word(event, "composite"));
        if (word(event, "suppressor")) w->suppressor = state_of(word(event, "suppressor"));
    }
}

static void check_case(const json_t *c) {
    const json_t *initial = json_object_get(c, "initial"), *actions = json_object_get(c, "expected_actions");
    World w = {.rule = {(int64_t)figure(c, "wait_period"), (int64_t)figure(c, "extension_period"), false},
        .composite = state_of(word(initial, "composite")),
        .suppressor = state_of(word(initial, "suppressor")),
        .told = BUFFER(4096)};
    w.memory = suppression_begin(w.composite, w.suppressor);
    for (int64_t now = 0; now <= (int64_t)figure(c, "until"); now++) {
        take_events(&w, json_object_get(c, "events"), now);
        act(&w, now);
    }
    Buffer want = BUFFER(4096);
    for (size_t i = 0; i < json_array_size(actions); i++) {
        const json_t *action = json_array_get(actions, i);
        buffer_format(&want, "%jd %s;", (intmax_t)figure(action, "t"), word(action, "state"));
    }
    ck_assert_msg(strcmp(buffer_string(&w.told), buffer_string(&want)) == 0, "%s: `%s`, not `%s`", word(c, "name"),
        buffer_string(&w.told), buffer_string(&want));
    buffer_deinit(&w.told);
    buffer_deinit(&want);
}

START_TEST(published) {
    json_t *list = cases_of("suppression_cases");
    for (size_t i = 0; i < json_array_size(list); i++) check_case(json_array_get(list, i));
    json_decref(list);
}
END_TEST

/* A script: `A`, `O`, `I` set the composite; `a`, `o`, `i` the suppressor; `.` is one unit; `,` one without a call. */
static const struct Script {
    int64_t wait, extension;
    bool pair_ok;
    const char *script, *want;
} scripts[] = {
    {2, 3, false, "......", ""},
    {2, 3, false, "a..o......", ""}, /* nothing was held back: nothing is told */
    {2, 3, false, "A...a...o......", "2 ALARM;"}, /* told before it began: not again */
    {2, 3, false, "A.a..O.o......", "7 OK;"}, /* came back to where it began */
    {2, 3, true, "A.a..O.o......", ""}, /* and is not told of where its ALARM was not */
    {2, 3, true, "A...O....", "2 ALARM;5 OK;"},
    {2, 3, true, "A...", "2 ALARM;"},
    {2, 3, false, "A.a..o.a...o....", "10 ALARM;"}, /* again in ALARM: the extension is dropped, too */
    {2, 3, false, "A.I.A.I...", "5 INSUFFICIENT_DATA;"}, /* each change begins the wait anew */
    {2, 3, false, "A.i....", "2 ALARM;"}, /* no data is no ALARM */
    {2, 3, false, "aA...i....", "6 ALARM;"},
    {2, 3, false, "A...a", "2 ALARM;"},
    {2, 3, false, "A.,a.", ""}, /* at its very end it holds */
    {2, 3, false, "A.,,a.", "3 ALARM;"}, /* behind it, it is too late to hold: nothing is lost by a late call */
    {2, 3, false, "A.,,O...", "3 ALARM;5 OK;"},
    {0, 0, false, "A.O.A..", "0 ALARM;1 OK;2 ALARM;"},
    {0, 3, false, "aA.o.,,,O.", "5 ALARM;5 OK;"}, /* an end that was missed, and a wait of 0 behind it */
    {0, 0, false, "aA..o..", "2 ALARM;"},
};

static AlarmState letter_state(char c) {
    return c == 'A' || c == 'a' ? STATE_ALARM : c == 'O' || c == 'o' ? STATE_OK : STATE_INSUFFICIENT_DATA;
}

START_TEST(plays_scripts) {
    const struct Script *c = &scripts[_i];
    World w = {.rule = {c->wait, c->extension, c->pair_ok}, .told = BUFFER(4096)};
    w.memory = suppression_begin(STATE_OK, STATE_OK);
    int64_t now = 0;
    for (const char *p = c->script; *p; p++) {
        if (*p == ',') {
            now++;
        } else if (*p == '.') {
            act(&w, now++);
        } else if (*p < 'a') {
            w.composite = letter_state(*p);
        } else {
            w.suppressor = letter_state(*p);
        }
    }
    act(&w, now);
    ck_assert_msg(
        strcmp(buffer_string(&w.told), c->want) == 0, "%s: `%s`, not `%s`", c->script, buffer_string(&w.told), c->want);
    buffer_deinit(&w.told);
}
END_TEST

START_TEST(says_when_it_is_due) {
    const SuppressionRule rule = {.wait_ms = 2, .extension_ms = 3};
    SuppressionMemory memory = suppression_begin(STATE_OK, STATE_OK);
    ck_assert_int_eq(suppression_due_ms(&memory), INT64_MAX);
    suppression_step(&rule, &memory, STATE_ALARM, STATE_OK, 10);
    ck_assert_int_eq(suppression_due_ms(&memory), 12);
    ck_assert(!suppression_holds(&memory));
    suppression_step(&rule, &memory, STATE_ALARM, STATE_ALARM, 11);
    ck_assert_int_eq(suppression_due_ms(&memory), INT64_MAX);
    ck_assert(suppression_holds(&memory));
    suppression_step(&rule, &memory, STATE_ALARM, STATE_OK, 20);
    ck_assert_int_eq(suppression_due_ms(&memory), 23);
}
END_TEST

START_TEST(another_suppressor_drops_what_runs) {
    const SuppressionRule rule = {.wait_ms = 2, .extension_ms = 30};
    SuppressionMemory memory = suppression_begin(STATE_OK, STATE_OK);
    suppression_step(&rule, &memory, STATE_ALARM, STATE_OK, 10);
    suppression_replace(&rule, &memory, STATE_OK, 11);
    ck_assert_int_eq(suppression_due_ms(&memory), 13); /* what is owed waits again */
    suppression_replace(&rule, &memory, STATE_ALARM, 12);
    ck_assert_int_eq(suppression_due_ms(&memory), INT64_MAX);
    ck_assert(suppression_holds(&memory));
    const SuppressionActions none = suppression_step(&rule, &memory, STATE_ALARM, STATE_ALARM, 50);
    ck_assert_uint_eq(none.count, 0);
    suppression_step(&rule, &memory, STATE_ALARM, STATE_OK, 60); /* its extension ends at 90 */
    suppression_replace(&rule, &memory, STATE_OK, 61);
    const SuppressionActions told = suppression_step(&rule, &memory, STATE_ALARM, STATE_OK, 63);
    ck_assert_uint_eq(told.count, 1);
    suppression_replace(&rule, &memory, STATE_OK, 70); /* nothing is owed: nothing runs */
    ck_assert_int_eq(suppression_due_ms(&memory), INT64_MAX);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, published);
    tcase_add_loop_test(tcase, plays_scripts, 0, COUNT_OF(scripts));
    tcase_add_test(tcase, says_when_it_is_due);
    tcase_add_test(tcase, another_suppressor_drops_what_runs);
}

int main(void) { return run_tests("suppression", fill); }
