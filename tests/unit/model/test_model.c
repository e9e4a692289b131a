/* The daemon against the reference model: configurations and days by chance, with people who silence and acknowledge,
 * reloads, orderly restarts, power cuts at any write and down-time. Each second both say the same to the same people.
 * SEED and RUNS say which are tried, HOURS how long each is; TRACE shows what happens. */
#include "daemon.h"

#include "../run.h"

#include "base/own.h"

#include <stdarg.h>
#include <string.h>

enum { HOURS = 2, RUNS = 6, MONDAY_S = 1769990400, WEEK_S = 7 * 86400, HOUR_S = 3600, TURNS_AT_ONCE = 16 };

typedef struct Run {
    Daemon daemon;
    Model model;
    Spec spec;
    Draw draw;
    uint64_t seed;
    int64_t start_s;
    bool truth[SPEC_ALERTS]; /* what fires, whoever knows it */
    char silences[MODEL_SILENCES][UUID_TEXT];
    Said want;
    size_t pace_s; /* something happens so often */
    int64_t down_until_s; /* 0: it is up */
    size_t messages, restarts, cuts;
} Run;

static int64_t number_of(const char *name, int64_t standard) {
    const char *text = getenv(name);
    return text ? strtoll(text, NULL, 10) : standard;
}

__attribute__((format(printf, 2, 3))) static void note(const Run *run, const char *format, ...) {
    va_list list;
    if (!getenv("TRACE")) return;
    va_start(list, format);
    fprintf(stderr, "%lld ", (long long)(daemon_now_s(&run->daemon) - run->start_s));
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
}

/* --- what happens --- */

/* As far as the daemon knows of it. */
static void know_truth(Run *run, int64_t now_s) {
    for (size_t i = 0; i < SPEC_ALERTS; i++) {
        if (run->truth[i] == run->model.fires[i] || run->truth[i] != daemon_fires(&run->daemon, i)) continue;
        note(run, "%zu %s", i, run->truth[i] ? "fires" : "ends");
        if (run->truth[i])
            model_fire(&run->model, i, now_s);
        else
            model_end(&run->model, i);
    }
}

/* The power is back at once: what was lost is found out anew. */
static void come_back(Run *run, int64_t now_s) {
    note(run, "power cut");
    run->cuts++;
    daemon_kill(&run->daemon);
    daemon_start(&run->daemon);
    know_truth(run, now_s);
    model_restart(&run->model);
    daemon_feed(&run->daemon, run->truth);
    know_truth(run, now_s);
}

static void toggle(Run *run, int64_t now_s) {
    const bool is_storm = draw_one_in(&run->draw, 8);
    const bool fires = draw_one_in(&run->draw, 2);
    const size_t one = draw_below(&run->draw, SPEC_ALERTS);
    run->truth[one] = !run->truth[one];
    for (size_t i = 0; is_storm && i < SPEC_ALERTS; i++)
        if (draw_one_in(&run->draw, 2)) run->truth[i] = fires;
    if (run->down_until_s) return;
    daemon_feed(&run->daemon, run->truth);
    if (daemon_is_dead(&run->daemon)) come_back(run, now_s);
    know_truth(run, now_s);
}

static void silence(Run *run, int64_t now_s) {
    SpecMatchers matchers;
    size_t number = 0;
    while (number < MODEL_SILENCES && run->model.silences[number].ends_s > now_s) number++;
    if (number == MODEL_SILENCES) return;
    spec_draw_silence(&run->draw, &matchers);
    const int64_t starts_s = now_s + (draw_one_in(&run->draw, 2) ? 0 : draw_between(&run->draw, 1, 300));
    const int64_t ends_s = starts_s + draw_between(&run->draw, 2, draw_one_in(&run->draw, 2) ? 60 : 3600);
    if (!daemon_silence(&run->daemon, &matchers, starts_s, ends_s, run->silences[number])) {
        come_back(run, now_s); /* its poster was told that it did not work */
        daemon_silence(&run->daemon, &matchers, starts_s, ends_s, run->silences[number]);
    }
    note(run, "silence %zu of %s=~%s, %s%s%s, from %+lld s to %+lld s", number,
        spec_label_names[matchers.list[0].label], matchers.list[0].value,
        matchers.count > 1 ? spec_label_names[matchers.list[1].label] : "",
        matchers.count > 1 ? spec_op_words[matchers.list[1].op] : "", matchers.count > 1 ? matchers.list[1].value : "",
        (long long)(starts_s - now_s), (long long)(ends_s - now_s));
    model_silence(&run->model, number, &matchers, starts_s, ends_s);
}

static void unsilence(Run *run, int64_t now_s) {
    const size_t number = draw_below(&run->draw, MODEL_SILENCES);
    ModelSilence *silence = &run->model.silences[number];
    if (silence->ends_s <= now_s) return;
    if (!daemon_unsilence(&run->daemon, run->silences[number])) {
        come_back(run, now_s);
        daemon_unsilence(&run->daemon, run->silences[number]);
    }
    note(run, "silence %zu ends", number);
    silence->ends_s = now_s;
}

static void acknowledge(Run *run, int64_t now_s) {
    const size_t alert = draw_below(&run->draw, SPEC_ALERTS);
    const bool ends = draw_one_in(&run->draw, 2);
    const int64_t until_s = ends ? now_s + draw_between(&run->draw, 5, 3000) : MODEL_FOREVER;
    if (!run->model.fires[alert]) return;
    if (!daemon_acknowledge(&run->daemon, alert, until_s)) {
        come_back(run, now_s);
        daemon_acknowledge(&run->daemon, alert, until_s);
    }
    note(run, "%zu acknowledged for %lld s", alert, ends ? (long long)(until_s - now_s) : -1);
    run->model.acked_until_s[alert] = until_s;
}

static void unacknowledge(Run *run, int64_t now_s) {
    const size_t alert = draw_below(&run->draw, SPEC_ALERTS);
    if (!run->model.fires[alert] || run->model.acked_until_s[alert] <= now_s) return;
    if (!daemon_unacknowledge(&run->daemon, alert)) {
        come_back(run, now_s);
        daemon_unacknowledge(&run->daemon, alert);
    }
    note(run, "%zu acknowledged no more", alert);
    run->model.acked_until_s[alert] = MODEL_NEVER;
}

static void reload(Run *run, int64_t now_s) {
    (void)now_s;
    note(run, "reload");
    spec_vary(&run->spec, &run->draw);
    daemon_write(&run->daemon, &run->spec);
    daemon_reload(&run->daemon);
    model_configure(&run->model, &run->spec);
}

static void restart(Run *run, int64_t now_s) {
    (void)now_s;
    run->restarts++;
    model_restart(&run->model);
    if (draw_one_in(&run->draw, 2))
        daemon_stop(&run->daemon);
    else
        daemon_kill(&run->daemon);
    if (draw_one_in(&run->draw, 2))
        run->down_until_s = now_s + draw_between(&run->draw, 1, draw_one_in(&run->draw, 2) ? 30 : 900);
    else
        daemon_start(&run->daemon);
    note(run, "restart, down for %lld s", run->down_until_s ? (long long)(run->down_until_s - now_s) : 0);
}

static void happen(Run *run, int64_t now_s) {
    static void (*const events[])(Run *, int64_t) = {
        toggle, toggle, toggle, toggle, toggle, silence, unsilence, acknowledge, unacknowledge, reload, restart};
    void (*const event)(Run *, int64_t) = events[draw_below(&run->draw, COUNT_OF(events))];
    event(run, now_s);
}

/* --- a second --- */

static void compare(Run *run, int64_t now_s) {
    if (run->want.count) note(run, "\n%s", run->want.text);
    ck_assert_msg(said_same(&run->daemon.said, &run->want), "SEED=%llu, second %lld: the daemon said\n%snot\n%s",
        (unsigned long long)run->seed, (long long)(now_s - run->start_s), run->daemon.said.text, run->want.text);
    run->messages += run->want.count;
    run->want = run->daemon.said = (Said){.used = 0};
}

/* The daemon has looked already. It does so for some groups at a time: of more than those in one second the last know
 * what the first have just said. */
static void look(Run *run, int64_t now_s) {
    static Model other; /* too large for a stack */
    const bool has_other = model_due(&run->model, now_s) > TURNS_AT_ONCE;
    if (has_other) other = run->model;
    model_look(&run->model, now_s, false, &run->want);
    if (has_other && !said_same(&run->daemon.said, &run->want)) {
        run->want = (Said){.used = 0};
        run->model = other;
        model_look(&run->model, now_s, true, &run->want);
    }
    compare(run, now_s);
}

static void wake_up(Run *run, int64_t now_s) {
    daemon_start(&run->daemon);
    run->down_until_s = 0;
    look(run, now_s);
    daemon_feed(&run->daemon, run->truth);
    know_truth(run, now_s);
}

static void be_up(Run *run, int64_t now_s) {
    if (draw_one_in(&run->draw, 20 * run->pace_s)) daemon_die_after(&run->daemon, draw_below(&run->draw, 60));
    daemon_run(&run->daemon);
    if (daemon_is_dead(&run->daemon)) come_back(run, now_s);
    look(run, now_s);
    if (draw_one_in(&run->draw, run->pace_s)) happen(run, now_s);
}

static void be_down(Run *run, int64_t now_s) {
    model_miss(&run->model, now_s);
    if (draw_one_in(&run->draw, run->pace_s)) toggle(run, now_s);
}

static void second(Run *run) {
    const int64_t now_s = daemon_now_s(&run->daemon);
    model_pass(&run->model, now_s);
    if (!run->down_until_s)
        be_up(run, now_s);
    else if (now_s >= run->down_until_s)
        wake_up(run, now_s);
    else
        be_down(run, now_s);
    if (!run->down_until_s) {
        if (daemon_is_dead(&run->daemon)) come_back(run, now_s);
        daemon_live(&run->daemon);
        model_look(&run->model, now_s, false, &run->want); /* what waits for nothing */
        compare(run, now_s);
    }
    daemon_pass(&run->daemon, 1);
}

/* --- */

static size_t one_run(uint64_t seed, int64_t hours) {
    static const size_t paces_s[] = {5, 20, 60, 300};
    static Run run; /* too large for a stack */
    run = (Run){.draw = {seed}, .seed = seed};
    run.pace_s = paces_s[draw_below(&run.draw, COUNT_OF(paces_s))];
    spec_draw(&run.spec, &run.draw);
    model_init(&run.model, &run.spec);
    run.start_s = MONDAY_S + draw_between(&run.draw, 0, WEEK_S);
    daemon_init(&run.daemon, &run.spec, run.start_s);
    for (int64_t left = hours * HOUR_S; left > 0; left--) second(&run);
    if (run.down_until_s) daemon_start(&run.daemon);
    daemon_deinit(&run.daemon);
    return run.messages;
}

START_TEST(says_what_the_model_says) {
    const int64_t runs = number_of("RUNS", RUNS), hours = number_of("HOURS", HOURS);
    const uint64_t first = (uint64_t)number_of("SEED", 1);
    size_t messages = 0;
    for (int64_t i = 0; i < runs; i++) messages += one_run(first + (uint64_t)i, hours);
    ck_assert_uint_gt(messages, 0);
    printf("figure: %lld random schedules of %lld virtual hours, %zu messages equal the model, SEED=%llu\n",
        (long long)runs, (long long)hours, messages, (unsigned long long)first);
    fflush(stdout);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_set_timeout(tcase, 0); /* meson's own */
    tcase_add_test(tcase, says_what_the_model_says);
}

int main(void) { return run_tests("model", fill); }
