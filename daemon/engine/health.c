/* daemon/engine/health.c: from how polls go to what is told of their sources */
#include "engine/health.h"

#include "base/alloc.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const Metric polls_metric = {
    "tocsin_polls_total", "Polls by their outcome.", METRIC_COUNTER, {"source", "account", "region", "result"}};
static const Metric success_metric = {"tocsin_source_last_success_timestamp_seconds",
    "When a source was last read without a failure.", METRIC_GAUGE, {"source", "account", "region"}};

struct Health {
    Core *core;
    Own *own;
    PollStates *states;
    const Watched *watched;
    int64_t attempted_ms;
};

static void note_attempted(Health *health) {
    for (size_t i = 0; i < poll_states_count(health->states); i++)
        if (!poll_state(health->states, i)->was_tried) return;
    health->attempted_ms = clock_wall_ms(health->core->clock);
}

Health *health_new(Core *core, Own *own, PollStates *states, const Watched *watched) {
    Health *health = alloc_zeroed(1, sizeof *health);
    *health = (Health){.core = core, .own = own, .states = states, .watched = watched};
    note_attempted(health);
    return health;
}

Health *health_free(Health *health) {
    free(health);
    return NULL;
}

int64_t health_attempted_ms(const Health *health) { return health->attempted_ms; }

/* --- is it read? --- */

static const char *first_error(const PollOutcome *outcome) {
    if (outcome->failed) return outcome->error ? outcome->error : "failed";
    for (size_t i = 0; i < outcome->count; i++)
        if (outcome->observations[i].error) return outcome->observations[i].error;
    return NULL;
}

/* Could this run read what the watch asks for? What finds its series and found none says nothing of it. */
static bool is_blind(const Health *health, const PollOutcome *outcome, size_t watch) {
    bool was_seen = false;
    for (size_t i = 0; i < outcome->count; i++) {
        if (outcome->observations[i].watch != watch) continue;
        if (outcome->observations[i].error) return true;
        was_seen = true;
    }
    return outcome->failed && (!was_seen || series_is_found(watched_series(health->watched), watch));
}

/* The alarms of a poll that are blind; all of them where there was no run. Caller frees. */
static char *name_alarms(const Health *health, const Poll *poll, const PollOutcome *outcome) {
    size_t watch_count;
    const Watch *watches = watched_all(health->watched, &watch_count);
    size_t named = 0, more = 0;
    Buffer text = BUFFER(REASON_MAX);
    for (size_t i = 0; i < poll->watch_count; i++) {
        if (outcome && !is_blind(health, outcome, poll->watches[i])) continue;
        if (named == POLL_NAMED_ALARMS) {
            more++;
            continue;
        }
        buffer_format(&text, "%s%s", named++ ? ", " : "", watches[poll->watches[i]].alarm);
    }
    if (more) buffer_format(&text, " and %zu more", more);
    return buffer_take(&text);
}

static bool is_failing(const PollState *state, int64_t boot_ms) {
    return state->failures >= POLL_FAILURES ||
        boot_ms - state->ok_boot_ms > POLL_STALE_PERIODS * state->poll->every_s * 1000 + SCHEDULE_FIRST_MS;
}

static bool same_feed(const Poll *a, const Poll *b) {
    return !strcmp(a->account, b->account) && !strcmp(a->region, b->region) && !strcmp(a->api, b->api);
}

static void tell_failing(Health *health, const Poll *poll, const PollState *state) {
    Buffer reason = BUFFER(REASON_MAX);
    if (state->failures)
        buffer_format(&reason, "%s in %s %s failed %u times in a row: %s; blind: ", poll->api, poll->account,
            poll->region, state->failures, state->error ? state->error : "");
    else
        buffer_format(&reason, "%s in %s %s had no success for %d periods; blind: ", poll->api, poll->account,
            poll->region, POLL_STALE_PERIODS);
    OWN(text) char *all = state->blind ? NULL : name_alarms(health, state->poll, NULL);
    buffer_text(&reason, state->blind ? state->blind : all);
    OWN(labels)
    Labels *series =
        labels_new((const Label[]){{"account", poll->account}, {"region", poll->region}, {"api", poll->api}}, 3);
    own_set(health->own, &own_source_failing, series, true, buffer_string(&reason));
    buffer_deinit(&reason);
}

static void tell_alive(Health *health, const Poll *poll) {
    OWN(labels)
    Labels *series =
        labels_new((const Label[]){{"account", poll->account}, {"region", poll->region}, {"api", poll->api}}, 3);
    own_set(health->own, &own_source_failing, series, false, "every batch was read again");
}

/* One alarm an (account, region, api): any failing batch keeps it up; only when each has been read does it clear. */
static void look_at_feed(Health *health, const Poll *poll) {
    const int64_t boot_ms = clock_boot_ms(health->core->clock);
    const PollState *worst = NULL;
    bool all_well = true;
    for (size_t i = 0; i < poll_states_count(health->states); i++) {
        const PollState *state = poll_state(health->states, i);
        if (!same_feed(poll, state->poll)) continue;
        if (is_failing(state, boot_ms) && (!worst || state->failures > worst->failures)) worst = state;
        all_well = all_well && state->was_tried && !state->failures;
    }
    if (worst)
        tell_failing(health, poll, worst);
    else if (all_well)
        tell_alive(health, poll);
}

void health_look_for_stale(Health *health) {
    const int64_t boot_ms = clock_boot_ms(health->core->clock);
    for (size_t i = 0; i < poll_states_count(health->states); i++) {
        const PollState *state = poll_state(health->states, i);
        if (!state->failures && is_failing(state, boot_ms)) look_at_feed(health, state->poll);
    }
}

void health_excuse(Health *health) {
    const int64_t boot_ms = clock_boot_ms(health->core->clock);
    for (size_t i = 0; i < poll_states_count(health->states); i++) poll_state(health->states, i)->ok_boot_ms = boot_ms;
}

void health_look_at_clock(Health *health) {
    enum { SKEW_WARNING_MS = 60000, SKEW_ERROR_MS = 300000 };
    const int64_t skew_ms = aws_skew_ms(health->core->aws), off_ms = skew_ms < 0 ? -skew_ms : skew_ms;
    char reason[160];
    snprintf(reason, sizeof reason,
        "this machine's clock is %" PRId64 " s %s AWS's (let NTP set it; Tocsin corrects for it meanwhile)",
        off_ms / 1000, skew_ms > 0 ? "behind" : "ahead of");
    own_set_severity(health->own, &own_clock_skew, off_ms > SKEW_ERROR_MS ? SEVERITY_ERROR : SEVERITY_WARNING, NULL,
        off_ms > SKEW_WARNING_MS, off_ms > SKEW_WARNING_MS ? reason : "the clocks agree again");
}

void health_look(Health *health, size_t index) {
    look_at_feed(health, poll_state(health->states, index)->poll);
    health_look_at_clock(health);
    note_attempted(health);
}

bool health_record(Health *health, size_t index, const PollOutcome *outcome) {
    PollState *state = poll_state(health->states, index);
    const Poll *poll = state->poll;
    const char *error = first_error(outcome);
    state->was_tried = true;
    state->calls += (int64_t)outcome->calls;
    const char *const feed[METRIC_LABELS] = {
        poll->source->name, poll->account, poll->region, error ? "failure" : "success"};
    metric_add(health->core->metrics, &polls_metric, 1, feed);
    if (error) {
        state->failures++;
        if (state->failures == 1)
            LOG(WARNING, "poll failed", KV("account", poll->account), KV("region", poll->region), KV("api", poll->api),
                KV("error", error));
    } else {
        if (state->failures)
            LOG(INFO, "poll succeeds again", KV("account", poll->account), KV("region", poll->region),
                KV("api", poll->api));
        state->failures = 0;
        state->ok_boot_ms = clock_boot_ms(health->core->clock);
        state->ok_wall_ms = clock_wall_ms(health->core->clock);
        metric_set(health->core->metrics, &success_metric, (double)state->ok_wall_ms / 1000, feed);
    }
    char *kept = error ? text_copy(error) : NULL;
    free(state->error);
    state->error = kept;
    free(state->blind);
    state->blind = error ? name_alarms(health, poll, outcome) : NULL;
    return !error;
}

void health_look_at_events(Health *health, size_t index, const PollOutcome *outcome, int64_t now_ms) {
    PollState *state = poll_state(health->states, index);
    const Poll *poll = state->poll;
    const bool is_quiet = feed_is_quiet(&state->feed, outcome->feed_seen_ms, now_ms);
    OWN(labels) Labels *series = labels_new((const Label[]){{"account", poll->account}, {"region", poll->region}}, 2);
    OWN(text)
    char *reason = text_format("CloudTrail in %s %s shows none of our own LookupEvents calls of the last hour: what "
                               "happens there may not be told (is its event history on, and who filters it?)",
        poll->account, poll->region);
    own_set(health->own, &own_feed_quiet, series, is_quiet, is_quiet ? reason : "our own calls are shown again");
}

/* --- a new configuration --- */

static bool is_still_polled(void *ctx, const Labels *series) {
    const Health *health = ctx;
    for (size_t i = 0; i < poll_states_count(health->states); i++) {
        const Poll *poll = poll_state(health->states, i)->poll;
        if (!strcmp(poll->account, labels_get(series, "account")) &&
            !strcmp(poll->region, labels_get(series, "region")) && !strcmp(poll->api, labels_get(series, "api")))
            return true;
    }
    return false;
}

static bool is_feed(void *ctx, const Labels *series) {
    const Health *health = ctx;
    for (size_t i = 0; i < poll_states_count(health->states); i++) {
        const Poll *poll = poll_state(health->states, i)->poll;
        if (poll->source->has_events && !strcmp(poll->account, labels_get(series, "account")) &&
            !strcmp(poll->region, labels_get(series, "region")))
            return true;
    }
    return false;
}

void health_clear_others(Health *health) {
    own_clear_others(health->own, &own_source_failing, is_still_polled, health, "it is not read any more");
    own_clear_others(health->own, &own_feed_quiet, is_feed, health, "it is not read any more");
}

/* --- the sources as people see them --- */

static SourceView *view_of(SourceView *views, size_t *count, const Poll *poll) {
    for (size_t i = 0; i < *count; i++)
        if (!strcmp(views[i].name, poll->source->name) && !strcmp(views[i].account, poll->account) &&
            !strcmp(views[i].region, poll->region))
            return &views[i];
    SourceView *view = &views[(*count)++];
    *view = (SourceView){.name = poll->source->name,
        .account = poll->account,
        .region = poll->region,
        .every_s = poll->every_s,
        .last_success_ms = INT64_MAX,
        .next_poll_ms = INT64_MAX};
    return view;
}

size_t health_views(const Health *health, Schedule *schedule, SourceView **ret_views) {
    const size_t polls = poll_states_count(health->states);
    const int64_t boot_ms = clock_boot_ms(health->core->clock), wall_ms = clock_wall_ms(health->core->clock);
    SourceView *views = alloc_zeroed(polls + 1, sizeof *views);
    size_t count = 0;
    for (size_t i = 0; i < polls; i++) {
        const PollState *state = poll_state(health->states, i);
        SourceView *view = view_of(views, &count, state->poll);
        const Scheduled *scheduled = schedule_at(schedule, i);
        const int64_t next_ms = scheduled->is_running ? wall_ms : wall_ms + scheduled->due_boot_ms - boot_ms;
        const int64_t lag_s = state->end_s ? aws_now_ms(health->core->aws) / 1000 - state->end_s : 0;
        if (state->poll->every_s < view->every_s) view->every_s = state->poll->every_s;
        if (state->ok_wall_ms < view->last_success_ms)
            view->last_success_ms = state->ok_wall_ms; /* the worst batch speaks */
        if (next_ms < view->next_poll_ms) view->next_poll_ms = next_ms;
        if (lag_s > view->lag_s) view->lag_s = lag_s;
        if (state->error) view->last_error = state->error;
        view->calls += state->calls;
    }
    *ret_views = views;
    return count;
}
