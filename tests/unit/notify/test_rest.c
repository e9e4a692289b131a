/* A receiver that keeps a state for each alert knows of each begin and end, or at least how many it does not know: turn
 * by turn, whatever ends, is silenced, was too long for a message, or was told by an earlier configuration. */
#include "notify/render.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/json.h"
#include "notify/groups.h"
#include "notify/render_alert.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOSTS = 1300, ROUNDS = 16, TURN_MS = 60000, TURNS_TO_END = 20 };
#define START_MS INT64_C(1700000000000)
#define KEY "oncall/{}:{}"

/* PagerDuty, the daemon's group that tells it, and its row in the state file. */
typedef struct Keeper {
    ReceiverChannel channel;
    Groups *groups;
    Instance instances[HOSTS];
    bool is_silenced[HOSTS], is_open[HOSTS];
    bool is_group_open; /* the incident of those that are only counted */
    size_t counted, heard; /* heard: alerts in the last message beside those that it shows */
    int64_t now_ms;
    char *told_json; /* NULL: the file has no such group */
} Keeper;

static Route route = {
    .id = "{}", .receiver = "oncall", .group_wait_s = 1, .group_interval_s = 60, .repeat_interval_s = 86400};

static const ReceiverChannel pagerduty = {.plugin = "webhook", .send_resolved = true, .wants_rest = true};
static const ReceiverChannel people = {.plugin = "webhook", .send_resolved = true};
static const ReceiverChannel begins_alone = {.plugin = "webhook", .wants_rest = true};
static const ReceiverChannel alertmanager = {
    .plugin = "webhook", .send_resolved = true, .wants_rest = true, .wants_again = true};

static void name_instance(Instance *instance, const Label *labels, size_t count) {
    labels_free(instance->labels);
    instance->labels = labels_new(labels, count);
}

static Keeper *keeper_new(ReceiverChannel channel) {
    Keeper *keeper = alloc_zeroed(1, sizeof *keeper);
    keeper->channel = channel;
    keeper->groups = groups_new(NULL);
    keeper->now_ms = START_MS;
    for (size_t i = 0; i < HOSTS; i++) {
        Instance *instance = &keeper->instances[i];
        *instance = (Instance){.name = (char *)"load",
            .severity = SEVERITY_WARNING,
            .facts = {.value = NAN, .threshold = NAN, .worst = NAN}};
        name_instance(instance, (const Label[]){{"alertname", "load"}}, 1);
        snprintf(instance->fingerprint, FINGERPRINT_TEXT, "%016zx", i);
    }
    return keeper;
}

static Keeper *keeper_free(Keeper *keeper) {
    if (!keeper) return NULL;
    for (size_t i = 0; i < HOSTS; i++) labels_free(keeper->instances[i].labels);
    groups_free(keeper->groups);
    free(keeper->told_json);
    free(keeper);
    return NULL;
}
OWN_DEFINE(Keeper, keeper)

static size_t place_of(const char *fingerprint) { return strtoul(fingerprint, NULL, 16); }

/* --- the daemon --- */

static void touch(Keeper *keeper, size_t from, size_t to) {
    for (size_t i = from; i < to; i++)
        groups_apply_touch(keeper->groups, &(GroupTouch){.key = KEY, .receiver = "oncall", .labels_json = "{}"},
            keeper->instances[i].fingerprint);
}

static void fire(Keeper *keeper, size_t from, size_t to) {
    for (size_t i = from; i < to; i++) {
        keeper->instances[i].firing_since_ms = keeper->now_ms;
        keeper->instances[i].resolved_ms = 0;
    }
    touch(keeper, from, to);
}

static void resolve(Keeper *keeper, size_t from, size_t to) {
    for (size_t i = from; i < to; i++) keeper->instances[i].resolved_ms = keeper->now_ms;
    touch(keeper, from, to);
}

static void silence(Keeper *keeper, size_t from, size_t to, bool is_silenced) {
    for (size_t i = from; i < to; i++) keeper->is_silenced[i] = is_silenced;
}

static const Instance *find(void *ctx, const char *fingerprint) {
    return &((Keeper *)ctx)->instances[place_of(fingerprint)];
}

static bool is_muted(void *ctx, const Instance *instance) {
    return ((Keeper *)ctx)->is_silenced[place_of(instance->fingerprint)];
}

static bool hear(Keeper *keeper, const json_t *alerts) {
    bool has_end = false;
    for (size_t i = 0; i < json_array_size(alerts); i++) {
        const json_t *alert = json_array_get(alerts, i);
        const bool is_firing = !strcmp(json_text(alert, "status"), "firing");
        keeper->is_open[place_of(json_text(alert, "fingerprint"))] = is_firing;
        has_end = has_end || !is_firing;
    }
    return has_end;
}

static void hear_message(Keeper *keeper, const char *text) {
    OWN(json) json_t *json = json_read(text, strlen(text), NULL);
    const json_t *body = json_map(json, "webhook"), *rest = json_map(json, "rest");
    if (keeper->channel.wants_again) /* it forgets what it does not hear */
        memset(keeper->is_open, 0, sizeof keeper->is_open);
    ck_assert_uint_le(json_array_size(json_list(rest, "alerts")), 2 * REST_MAX);
    const bool shows_end = hear(keeper, json_list(body, "alerts")), names_end = hear(keeper, json_list(rest, "alerts")),
               has_end = shows_end || names_end;
    keeper->heard = json_array_size(json_list(rest, "alerts"));
    keeper->counted = (size_t)json_integer_value(json_object_get(rest, "counted"));
    if (keeper->counted)
        keeper->is_group_open = true;
    else if (has_end || json_flag(rest, "was_counted", false) || strcmp(json_text(body, "status"), "firing") != 0)
        keeper->is_group_open = false;
}

static void forget_ended(Keeper *keeper) {
    for (size_t i = 0; i < HOSTS; i++) {
        Instance *instance = &keeper->instances[i];
        if (instance->resolved_ms && !groups_know(keeper->groups, instance->fingerprint))
            instance->firing_since_ms = instance->resolved_ms = 0;
    }
}

/* What is committed is in the file and in the outbox, else neither. True: a message was sent. */
static bool turn(Keeper *keeper, bool is_committed) {
    const TurnWorld world = {.route = &route,
        .tells_resolved = keeper->channel.send_resolved,
        .channels = &keeper->channel,
        .channel_count = 1,
        .now_ms = keeper->now_ms += TURN_MS,
        .find = find,
        .is_muted = is_muted,
        .ctx = keeper};
    GroupTurn *turn = turn_begin(keeper->groups, KEY, &world);
    if (!turn) return false;
    OWN(render_input)
    RenderInput *input = render_input_new(turn, &keeper->channel, 1, "", keeper->now_ms, NULL, NULL);
    OWN(rendered) Rendered *rendered = render(input);
    const bool is_sent = is_committed && rendered_count(rendered);
    if (is_sent) hear_message(keeper, rendered_row(rendered, 0).message_json);
    if (is_committed) {
        free(keeper->told_json);
        keeper->told_json = turn->flush.drop ? NULL : text_copy(turn->flush.told_json);
    }
    turn_end(keeper->groups, turn, is_committed, keeper->now_ms);
    forget_ended(keeper);
    return is_sent;
}

/* Killed, and started from what is in the file. */
static void restart(Keeper *keeper) {
    keeper->groups = groups_free(keeper->groups);
    keeper->groups = groups_new(NULL);
    const GroupRow row = {.key = KEY,
        .receiver = "oncall",
        .labels_json = "{}",
        .first_flush_ms = START_MS,
        .last_sent_ms = keeper->now_ms,
        .told_json = keeper->told_json};
    if (keeper->told_json) groups_restore(keeper->groups, &row, keeper->now_ms);
    for (size_t i = 0; i < HOSTS; i++)
        if (instance_is_firing(&keeper->instances[i])) touch(keeper, i, i + 1);
    forget_ended(keeper);
}

/* --- what must hold after each message --- */

/* Nothing is open that has ended, unless its end is still to come; whoever fires is open or counted, and all are open
 * where there is room. */
static void expect_kept(const Keeper *keeper, int step) {
    size_t firing = 0, unknown = 0;
    for (size_t i = 0; i < HOSTS; i++) {
        const Instance *instance = &keeper->instances[i];
        const bool fires = instance_is_firing(instance), is_owed = groups_know(keeper->groups, instance->fingerprint);
        ck_assert_msg(fires || is_owed || !keeper->is_open[i] || !keeper->channel.send_resolved,
            "step %d: %zu ended and is open", step, i);
        if (!fires || keeper->is_silenced[i]) continue;
        firing++;
        unknown += !keeper->is_open[i];
    }
    /* Who fires again while its end was not told is open, which the daemon does not rely on. */
    ck_assert_msg(keeper->channel.send_resolved ? unknown == keeper->counted : unknown <= keeper->counted,
        "step %d: %zu of %zu are not open, and %zu counted", step, unknown, firing, keeper->counted);
    ck_assert_msg(keeper->is_group_open == (keeper->counted > 0),
        "step %d: %zu counted, and the group's incident is %s", step, keeper->counted,
        keeper->is_group_open ? "open" : "over");
}

static void say(Keeper *keeper, int step) {
    ck_assert_msg(turn(keeper, true), "step %d: a message", step);
    expect_kept(keeper, step);
}

static void expect_all_open(const Keeper *keeper) { ck_assert_uint_eq(keeper->counted, 0); }

static void expect_over(Keeper *keeper) {
    silence(keeper, 0, HOSTS, false);
    resolve(keeper, 0, HOSTS);
    for (int i = 0; i < TURNS_TO_END && groups_count(keeper->groups); i++) turn(keeper, true);
    ck_assert_uint_eq(groups_count(keeper->groups), 0);
    expect_kept(keeper, -1);
    for (size_t i = 0; i < HOSTS; i++) ck_assert_msg(!keeper->is_open[i], "%zu is open when all is over", i);
    ck_assert(!keeper->is_group_open);
}

/* Which of 600 are silenced: those named, those counted. */
static const size_t silenced[][2] = {{0, 150}, {450, 600}, {0, 600}};

START_TEST(a_silence_makes_room) {
    OWN(keeper) Keeper *keeper = keeper_new(pagerduty);
    fire(keeper, 0, 600);
    say(keeper, 1);
    ck_assert_uint_eq(keeper->counted, 100);
    silence(keeper, silenced[_i][0], silenced[_i][1], true);
    fire(keeper, 700, 701);
    say(keeper, 2);
    expect_all_open(keeper);
    silence(keeper, 0, 600, false);
    fire(keeper, 701, 702);
    say(keeper, 3);
    expect_over(keeper);
}
END_TEST

/* Labels as long as they may be: who has no room in one message is named in the next, and so are the ends. */
START_TEST(what_has_no_room_is_named_later) {
    OWN(text) char *word = alloc_zeroed(LABEL_VALUE_MAX + 1, 1);
    memset(word, _i ? '\x01' : 'x', LABEL_VALUE_MAX); /* written by its code it is six times as long */
    Label labels[16];
    char names[16][8];
    for (size_t k = 0; k < COUNT_OF(labels); k++) {
        snprintf(names[k], sizeof names[k], "l%zu", k);
        labels[k] = (Label){names[k], word};
    }
    OWN(keeper) Keeper *keeper = keeper_new(pagerduty);
    const size_t crowd = _i ? 60 : 400;
    for (size_t i = 0; i < crowd; i++) name_instance(&keeper->instances[i], labels, COUNT_OF(labels));
    fire(keeper, 0, crowd);
    say(keeper, 1);
    ck_assert_uint_gt(keeper->counted, 0);
    for (size_t i = 1; i < 5 && keeper->counted; i++) {
        fire(keeper, 500 + i, 501 + i);
        say(keeper, (int)i + 1);
    }
    expect_all_open(keeper);
    resolve(keeper, 0, crowd);
    say(keeper, 10);
    ck_assert(groups_know(keeper->groups, keeper->instances[502].fingerprint));
    expect_over(keeper);
}
END_TEST

/* By itself longer than all the room that ends have: it is told all the same, and then the next. */
START_TEST(the_longest_end_is_told) {
    enum { LABELS = 1100 };
    OWN(text) char *word = alloc_zeroed(LABEL_VALUE_MAX + 1, 1);
    memset(word, 'x', LABEL_VALUE_MAX);
    Label *labels = alloc_zeroed(LABELS, sizeof *labels);
    char(*names)[8] = alloc_zeroed(LABELS, sizeof *names);
    for (size_t k = 0; k < LABELS; k++) {
        snprintf(names[k], sizeof names[k], "l%zu", k);
        labels[k] = (Label){names[k], word};
    }
    OWN(keeper) Keeper *keeper = keeper_new(pagerduty);
    for (size_t i = 0; i < 2; i++) name_instance(&keeper->instances[i], labels, LABELS);
    free(labels);
    free(names);
    fire(keeper, 0, 2);
    say(keeper, 1);
    expect_all_open(keeper);
    resolve(keeper, 0, 2);
    say(keeper, 2);
    say(keeper, 3);
    expect_over(keeper);
}
END_TEST

/* What kept no state, or another's, before a reload or in an earlier version. */
static const ReceiverChannel *const earlier[] = {&people, &alertmanager};

START_TEST(a_new_keeper_hears_of_all) {
    OWN(keeper) Keeper *keeper = keeper_new(*earlier[_i / 2]);
    fire(keeper, 0, 60);
    turn(keeper, true);
    memset(keeper->is_open, 0, sizeof keeper->is_open);
    keeper->channel = pagerduty;
    if (_i % 2) restart(keeper);
    fire(keeper, 60, 61);
    say(keeper, 1);
    expect_all_open(keeper);
    expect_over(keeper);
}
END_TEST

START_TEST(a_restart_names_none_again) {
    OWN(keeper) Keeper *keeper = keeper_new(pagerduty);
    fire(keeper, 0, 600);
    say(keeper, 1);
    ck_assert_uint_eq(keeper->heard, REST_MAX - TURN_SHOWN_MAX);
    restart(keeper);
    fire(keeper, 600, 601);
    say(keeper, 2);
    ck_assert_uint_eq(keeper->heard, 0); /* it is shown */
    silence(keeper, 0, 200, true);
    restart(keeper);
    fire(keeper, 601, 602);
    say(keeper, 3); /* that others were only counted is known still, and so that they are no more */
    ck_assert_uint_eq(keeper->heard, 100);
}
END_TEST

/* Two keepers, of which one hears of no ends: what the other alone was told of is named to both, and its end is kept.
 */
START_TEST(what_one_of_two_was_told_is_not_known) {
    const ReceiverChannel channels[] = {pagerduty, {.plugin = "webhook", .index = 1, .wants_rest = true}};
    const Instance instance = {.firing_since_ms = START_MS, .facts = {.value = NAN, .threshold = NAN, .worst = NAN}};
    GroupAlert alerts[] = {{"0000000000000001", ALERT_FIRES, &instance}, {"0000000000000002", ALERT_ENDED, &instance}};
    const char *reason = group_reason(
        &(GroupFigures){.was_sent = true, .firing = 1, .fresh = _i ? 1 : 0, .ended = 1, .tells_resolved = true});
    GroupTurn turn = {.reason = reason, .alerts = alerts, .alert_count = 2, .firing = 1, .ended = 1};
    rest_choose(&turn, channels, COUNT_OF(channels));
    ck_assert_uint_eq(rest_named_by(&turn, alerts), _i ? rest_keepers(channels, COUNT_OF(channels)) : REST_SOME);
    ck_assert_uint_ne(rest_keepers(channels, 2), rest_keepers(channels, 1));
    free(turn.names.rest);
}
END_TEST

START_TEST(ends_that_are_not_told_make_room) {
    OWN(keeper) Keeper *keeper = keeper_new(begins_alone);
    fire(keeper, 0, 600);
    say(keeper, 1);
    ck_assert_uint_eq(keeper->counted, 100);
    resolve(keeper, 0, 200);
    ck_assert(!turn(keeper, true));
    fire(keeper, 600, 601);
    say(keeper, 2);
    expect_all_open(keeper);
}
END_TEST

/* The severe ones are shown although the crowd before them has all places. */
START_TEST(what_was_only_shown_ends_too) {
    OWN(keeper) Keeper *keeper = keeper_new(pagerduty);
    fire(keeper, 0, 600);
    say(keeper, 1);
    for (size_t i = 0; i < 5; i++) { /* each time others */
        const size_t from = 600 + i * TURN_SHOWN_MAX;
        for (size_t k = from; k < from + TURN_SHOWN_MAX; k++) {
            keeper->instances[k].severity = SEVERITY_CRITICAL;
            if (i) keeper->instances[k - TURN_SHOWN_MAX].severity = SEVERITY_INFO;
        }
        fire(keeper, from, from + TURN_SHOWN_MAX);
        say(keeper, (int)i + 2);
    }
    expect_over(keeper);
}
END_TEST

/* An end is told once, whatever becomes of it: not in the message that has no room for it, but in the next. */
START_TEST(an_end_that_is_put_off_is_told_once) {
    OWN(keeper) Keeper *keeper = keeper_new(pagerduty);
    fire(keeper, 0, 500);
    say(keeper, 1);
    for (size_t i = 500; i < 510; i++) keeper->instances[i].severity = SEVERITY_CRITICAL;
    fire(keeper, 500, 510);
    say(keeper, 2);
    resolve(keeper, 0, 510);
    say(keeper, 3);
    size_t open = 0;
    for (size_t i = 0; i < HOSTS; i++) open += keeper->is_open[i];
    ck_assert_uint_eq(open, 10);
    restart(keeper); /* the file knows of them */
    say(keeper, 4);
    ck_assert(!turn(keeper, true));
    expect_over(keeper);
}
END_TEST

/* --- at random --- */

typedef struct Lots {
    uint64_t state;
} Lots;

static size_t draw(Lots *lots, size_t below) {
    lots->state = lots->state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(lots->state >> 33) % below;
}

static void change(Keeper *keeper, Lots *lots, size_t hosts) {
    const size_t share = draw(lots, 9), muted = draw(lots, 3); /* of eight */
    for (size_t i = 0; i < hosts; i++) {
        Instance *instance = &keeper->instances[i];
        const bool fires = draw(lots, 8) < share;
        if (fires && !instance_is_firing(instance)) fire(keeper, i, i + 1);
        if (!fires && instance_is_firing(instance)) resolve(keeper, i, i + 1);
        if (!draw(lots, 4)) silence(keeper, i, i + 1, draw(lots, 8) < muted);
        if (!draw(lots, 8)) instance->severity = (Severity)draw(lots, 4); /* others come to be shown */
    }
}

/* How many fire at most, and to whom it is told. */
static const struct {
    size_t hosts;
    const ReceiverChannel *channel;
} crowds[] = {{60, &pagerduty}, {60, &alertmanager}, {REST_MAX, &pagerduty}, {REST_MAX, &alertmanager},
    {HOSTS, &pagerduty}, {HOSTS, &alertmanager}, {HOSTS, &begins_alone}};

START_TEST(each_begin_and_end_is_named) {
    OWN(keeper) Keeper *keeper = keeper_new(*crowds[(size_t)_i % COUNT_OF(crowds)].channel);
    const size_t hosts = crowds[(size_t)_i % COUNT_OF(crowds)].hosts;
    Lots lots = {(uint64_t)_i + 1};
    for (int round = 0; round < ROUNDS; round++) {
        change(keeper, &lots, hosts);
        if (!draw(&lots, 4)) turn(keeper, false); /* there is no room for it, or a kill comes first */
        if (!draw(&lots, 3)) restart(keeper);
        if (turn(keeper, true)) expect_kept(keeper, round);
        if (hosts <= REST_MAX) expect_all_open(keeper);
    }
    if (keeper->channel.send_resolved) expect_over(keeper);
}
END_TEST

/* --- how long a name becomes --- */

START_TEST(a_name_has_the_room_that_is_kept_for_it) {
    static const char *const texts[] = {"", "x", "\x01\x7f\"\\", "\xff\xfe", "\xc2\x9b\xe2\x80\xae", "\xe6\x97\xa5"};
    OWN(text) char *long_text = alloc_zeroed(801, 1);
    for (size_t i = 0; strlen(long_text) + strlen(texts[_i]) <= 800 && *texts[_i]; i++) strcat(long_text, texts[_i]);
    const Label pairs[] = {{"alertname", long_text}, {"account", long_text}, {"region", long_text}, {"x", long_text}};
    OWN(labels) Labels *labels = labels_new(pairs, COUNT_OF(pairs));
    const Ack ack = {.by = long_text, .comment = ""};
    for (int variant = 0; variant < 4; variant++) {
        const Instance instance = {.name = long_text,
            .labels = labels,
            .annotations = labels,
            .facts = {.reason = long_text,
                .console_url = long_text,
                .value = variant & 1 ? 1234.5678 : NAN,
                .threshold = variant & 1 ? 1e300 : NAN},
            .firing_since_ms = START_MS,
            .resolved_ms = variant & 2 ? START_MS + 1 : 0};
        const GroupAlert alert = {"00000000000000ff", variant & 2 ? ALERT_ENDED : ALERT_FIRES, &instance, .ack = &ack};
        RenderAlert copy;
        render_alert_copy(&copy, &alert, START_MS);
        OWN(json) json_t *json = render_alert_brief(&copy, START_MS);
        OWN(text) char *text = json_write(json);
        ck_assert_uint_le(strlen(text), render_alert_brief_room(&alert, NULL));
        render_alert_deinit(&copy);
    }
}
END_TEST

static void fill(TCase *tcase) {
    tcase_set_timeout(tcase, 120); /* under valgrind */
    tcase_add_loop_test(tcase, a_silence_makes_room, 0, COUNT_OF(silenced));
    tcase_add_loop_test(tcase, what_has_no_room_is_named_later, 0, 2);
    tcase_add_test(tcase, the_longest_end_is_told);
    tcase_add_loop_test(tcase, a_new_keeper_hears_of_all, 0, 2 * COUNT_OF(earlier));
    tcase_add_test(tcase, a_restart_names_none_again);
    tcase_add_loop_test(tcase, what_one_of_two_was_told_is_not_known, 0, 2);
    tcase_add_test(tcase, ends_that_are_not_told_make_room);
    tcase_add_test(tcase, what_was_only_shown_ends_too);
    tcase_add_test(tcase, an_end_that_is_put_off_is_told_once);
    tcase_add_loop_test(tcase, each_begin_and_end_is_named, 0, 2 * COUNT_OF(crowds));
    tcase_add_loop_test(tcase, a_name_has_the_room_that_is_kept_for_it, 0, 6);
}

int main(void) { return run_tests("rest", fill); }
