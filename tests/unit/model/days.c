/* tests/unit/model/days.c: what happens by chance, to the daemon and to the model, and what both say of it */
#include "days.h"

#include "daemon.h"

#include "base/alloc.h"

#include <check.h>
#include <stdarg.h>
#include <string.h>
#include <utlist.h>

enum {
    MONDAY_S = 1769990400,
    WEEK_S = 7 * 86400,
    HOUR_S = 3600,
    TURNS_AT_ONCE = 16, /* groups that the daemon lets speak at one time */
    PATIENCE_S = 2 * HOUR_S /* within which a receiver that is back has everything, whatever else goes wrong */
};

/* A line that a receiver is to be told, sooner or later. */
typedef struct Owed {
    char *line;
    struct Owed *prev, *next;
} Owed;

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
    bool has_faults;
    int64_t full_until_s; /* 0: the disk has room */
    Model durable; /* as it was when the disk lacked nothing */
    int64_t durable_s;
    int64_t broken_until_s[SPEC_RECEIVERS];
    bool is_owing[SPEC_RECEIVERS]; /* in this second it hears of things when it can */
    Owed *owed[SPEC_RECEIVERS];
    DayFigures figures;
} Run;

int64_t days_number(const char *name, int64_t standard) {
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

static bool is_owing(const Run *run) {
    for (size_t i = 0; i < SPEC_RECEIVERS; i++)
        if (run->owed[i] || daemon_owes(&run->daemon, i)) return true;
    return false;
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
    run->figures.cuts++;
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
        if (run->full_until_s) return;
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
    if (silence->ends_s <= now_s || silence->starts_s == now_s) return; /* one without any length holds nothing */
    if (!daemon_unsilence(&run->daemon, run->silences[number])) {
        if (run->full_until_s) return;
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
        if (run->full_until_s) return;
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
        if (run->full_until_s) return;
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
    if (run->full_until_s) model_configure(&run->durable, &run->spec);
}

static void crash_behind(Run *run, int64_t now_s);

static void restart(Run *run, int64_t now_s) {
    if (daemon_is_behind(&run->daemon)) return crash_behind(run, now_s);
    if (run->full_until_s) return;
    run->figures.restarts++;
    model_restart(&run->model);
    if (draw_one_in(&run->draw, 2))
        daemon_stop(&run->daemon);
    else
        daemon_kill(&run->daemon);
    if (draw_one_in(&run->draw, 2) && !is_owing(run))
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

/* --- faults --- */

/* A disk that is full and down-time end with more groups that speak in one second than the daemon looks at together:
 * who saw what then shows in what was heard (model_look()), so neither comes while a receiver hears nothing. */

/* Nothing of what happened since the disk had no room was kept. */
static void crash_behind(Run *run, int64_t now_s) {
    note(run, "crash with a full disk");
    run->figures.restarts++;
    daemon_kill(&run->daemon);
    daemon_fill_disk(&run->daemon, false);
    run->full_until_s = 0;
    run->model = run->durable;
    for (int64_t at_s = run->durable_s; at_s < now_s; at_s++) {
        model_pass(&run->model, at_s);
        model_miss(&run->model, at_s);
    }
    model_pass(&run->model, now_s);
    daemon_start(&run->daemon);
    model_restart(&run->model);
}

static void trouble_disk(Run *run, int64_t now_s) {
    if (run->full_until_s && now_s >= run->full_until_s) {
        daemon_fill_disk(&run->daemon, false);
        run->full_until_s = 0;
        note(run, "the disk has room");
    } else if (!run->full_until_s && !daemon_is_behind(&run->daemon) && !is_owing(run) &&
        draw_one_in(&run->draw, 40 * run->pace_s)) {
        daemon_fill_disk(&run->daemon, true);
        run->full_until_s = now_s + draw_between(&run->draw, 10, 900);
        run->figures.full++;
        note(run, "the disk is full");
    }
    if (!run->full_until_s || daemon_is_behind(&run->daemon)) return;
    run->durable = run->model;
    run->durable_s = now_s;
}

static void trouble_receiver(Run *run, size_t receiver, int64_t now_s) {
    int64_t *until_s = &run->broken_until_s[receiver];
    const bool may_break = !run->down_until_s && !run->full_until_s && !daemon_is_behind(&run->daemon);
    if (may_break && now_s >= *until_s && draw_one_in(&run->draw, 100 * run->pace_s)) {
        *until_s = now_s + draw_between(&run->draw, 10, 3000);
        run->figures.outages++;
        note(run, "r%zu takes nothing", receiver);
    }
    daemon_refuse(&run->daemon, receiver, now_s < *until_s);
    run->is_owing[receiver] = now_s < *until_s || run->owed[receiver] || daemon_owes(&run->daemon, receiver);
    ck_assert_msg(!run->is_owing[receiver] || now_s < *until_s + PATIENCE_S, "SEED=%llu: r%zu still lacks `%s`",
        (unsigned long long)run->seed, receiver, run->owed[receiver] ? run->owed[receiver]->line : "an answer");
}

static bool waits(void *ctx, const char *line, size_t length) {
    const Run *run = ctx;
    const size_t receiver = (size_t)(line[1] - '0');
    for (const Owed *owed = run->owed[receiver]; owed; owed = owed->next)
        if (!strncmp(owed->line, line, length) && owed->line[length] == ' ') return true;
    return run->is_owing[receiver] && daemon_waits(&run->daemon, line, length);
}

static void owe(Run *run, size_t receiver, const char *line) {
    Owed *owed = alloc_zeroed(1, sizeof *owed);
    owed->line = text_copy(line);
    DL_APPEND(run->owed[receiver], owed);
}

/* False: nobody was to be told that. */
static bool pay(Run *run, size_t receiver, const char *line) {
    Owed *owed = run->owed[receiver];
    while (owed && strcmp(owed->line, line) != 0) owed = owed->next;
    if (!owed) return false;
    DL_DELETE(run->owed[receiver], owed);
    free(owed->line);
    free(owed);
    return true;
}

/* What goes to a receiver that hears of it when it can is taken out of both. */
static void take_owed(Run *run, Said *from, bool is_paid) {
    Said rest = {.used = 0};
    for (char *at = from->text, *line; *at && (line = strsep(&at, "\n"));) {
        const size_t receiver = (size_t)(line[1] - '0');
        if (!*line) break;
        if (!run->is_owing[receiver])
            said_add(&rest, line);
        else if (!is_paid)
            owe(run, receiver, line);
        else
            ck_assert_msg(pay(run, receiver, line), "SEED=%llu, second %lld: nobody was to be told `%s`",
                (unsigned long long)run->seed, (long long)(daemon_now_s(&run->daemon) - run->start_s), line);
    }
    *from = rest;
}

/* --- a second --- */

static void compare(Run *run, int64_t now_s) {
    if (run->want.count) note(run, "\n%s", run->want.text);
    run->figures.messages += run->want.count;
    take_owed(run, &run->want, false);
    take_owed(run, &run->daemon.said, true);
    ck_assert_msg(said_same(&run->daemon.said, &run->want), "SEED=%llu, second %lld: the daemon said\n%snot\n%s",
        (unsigned long long)run->seed, (long long)(now_s - run->start_s), run->daemon.said.text, run->want.text);
    run->want = run->daemon.said = (Said){.used = 0};
}

/* The daemon has looked already. */
static void look(Run *run, int64_t now_s) {
    const bool are_many = model_due(&run->model, now_s) > TURNS_AT_ONCE;
    model_look(&run->model, now_s, are_many ? &run->daemon.said : NULL, &run->want);
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
    if (run->has_faults)
        trouble_disk(run, now_s);
    else if (draw_one_in(&run->draw, 3 * run->pace_s))
        daemon_die_after(&run->daemon, draw_below(&run->draw, 60));
    daemon_run(&run->daemon);
    if (daemon_is_dead(&run->daemon)) come_back(run, now_s);
    if (!daemon_is_behind(&run->daemon))
        look(run, now_s);
    else
        model_miss(&run->model, now_s);
    if (draw_one_in(&run->draw, run->pace_s)) happen(run, now_s);
}

static void be_down(Run *run, int64_t now_s) {
    model_miss(&run->model, now_s);
    if (draw_one_in(&run->draw, run->pace_s)) toggle(run, now_s);
}

static void second(Run *run) {
    const int64_t now_s = daemon_now_s(&run->daemon);
    model_pass(&run->model, now_s);
    for (size_t i = 0; run->has_faults && i < SPEC_RECEIVERS; i++) trouble_receiver(run, i, now_s);
    if (!run->down_until_s)
        be_up(run, now_s);
    else if (now_s >= run->down_until_s)
        wake_up(run, now_s);
    else
        be_down(run, now_s);
    if (!run->down_until_s) {
        if (daemon_is_dead(&run->daemon)) come_back(run, now_s);
        daemon_live(&run->daemon);
        if (!daemon_is_behind(&run->daemon))
            model_look(&run->model, now_s, NULL, &run->want); /* what waits for nothing */
        compare(run, now_s);
    }
    daemon_pass(&run->daemon, 1);
}

/* --- */

/* Nothing happens any more, and everybody gets what is owed. */
static void settle(Run *run) {
    run->pace_s = INT32_MAX;
    do second(run);
    while (run->down_until_s || run->full_until_s || is_owing(run));
}

void days_run(uint64_t seed, int64_t hours, bool has_faults, DayFigures *add) {
    static const size_t paces_s[] = {5, 20, 60, 300};
    static Run run; /* too large for a stack */
    run = (Run){.draw = {seed}, .seed = seed, .has_faults = has_faults};
    run.pace_s = paces_s[draw_below(&run.draw, COUNT_OF(paces_s))];
    spec_draw(&run.spec, &run.draw);
    model_init(&run.model, &run.spec);
    if (has_faults) {
        run.model.waits = waits;
        run.model.ctx = &run;
    }
    run.start_s = MONDAY_S + draw_between(&run.draw, 0, WEEK_S);
    daemon_init(&run.daemon, &run.spec, run.start_s);
    for (int64_t left = hours * HOUR_S; left > 0; left--) second(&run);
    settle(&run);
    daemon_deinit(&run.daemon);
    add->messages += run.figures.messages;
    add->restarts += run.figures.restarts;
    add->cuts += run.figures.cuts;
    add->full += run.figures.full;
    add->outages += run.figures.outages;
}
