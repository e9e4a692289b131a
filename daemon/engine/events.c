/* daemon/engine/events.c: from matches to states */
#include "engine/events.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/table.h"
#include "base/timetext.h"
#include "engine/novelty.h"
#include "rules/event_window.h"
#include "sources/event_selector.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MAX_BYTES = 1000, WORD_BYTES = 160, SWEEP_EVERY_MS = 60000 };

static const Metric full_metric = {"tocsin_events_uncounted_total",
    "Matches that were told, and could not be counted with others for want of room.", METRIC_COUNTER, {NULL}};

/* What was counted for one instance. */
typedef struct Tally {
    char fingerprint[FINGERPRINT_TEXT];
    EventWindow *window;
    bool is_wanted; /* while a new configuration is taken over */
    UT_hash_handle hh;
} Tally;

struct Events {
    Core *core;
    Novelty *novelty;
    Tally *tallies;
    Series *series;
    const Watch *watches;
    int64_t swept_ms;
};

Events *events_new(Core *core) {
    Events *events = alloc_zeroed(1, sizeof *events);
    events->core = core;
    events->novelty = novelty_new(core->memory);
    return events;
}

static void tally_free(Events *events, Tally *tally) {
    HASH_DEL(events->tallies, tally);
    event_window_free(tally->window);
    free(tally);
}

Events *events_free(Events *events) {
    if (!events) return NULL;
    while (events->tallies) tally_free(events, events->tallies);
    novelty_free(events->novelty);
    free(events);
    return NULL;
}

/* --- tallies --- */

static WindowRule window_rule(const EventSelector *selector) {
    static const WindowMode modes[] = {[CORRELATE_EVENT_COUNT] = WINDOW_EVENTS,
        [CORRELATE_VALUE_COUNT] = WINDOW_VALUES,
        [CORRELATE_TEMPORAL] = WINDOW_KINDS,
        [CORRELATE_ORDERED] = WINDOW_ORDERED};
    return (WindowRule){.mode = selector->correlation ? modes[selector->correlation->kind] : WINDOW_EVENTS,
        .kinds = selector->part_count,
        .span_s = selector->timespan_s,
        .keep_s = selector->timespan_s + EVENTS_LATE_S,
        .condition = selector->count};
}

static Tally *tally_find(const Events *events, const char *fingerprint) {
    Tally *tally;
    HASH_FIND_STR(events->tallies, fingerprint, tally);
    return tally;
}

static Tally *tally_make(Events *events, const char *fingerprint, const WindowRule *rule) {
    Tally *tally = tally_find(events, fingerprint);
    if (tally) return tally;
    tally = alloc_zeroed(1, sizeof *tally);
    snprintf(tally->fingerprint, sizeof tally->fingerprint, "%s", fingerprint);
    tally->window = event_window_new(rule);
    HASH_ADD_STR(events->tallies, fingerprint, tally);
    return tally;
}

void events_load(Events *events, const StoreLoad *load) {
    /* By which rule they count is not known yet: they are kept, whatever their age. */
    const WindowRule any = {
        .mode = WINDOW_EVENTS, .kinds = WINDOW_KINDS_MAX, .span_s = EVENT_TIMESPAN_MAX_S, .keep_s = INT64_MAX / 2000};
    for (size_t i = 0; i < load->match_count; i++) {
        const MatchRow *row = &load->matches[i];
        if (row->part < 0 || row->part >= WINDOW_KINDS_MAX) continue;
        Tally *tally = tally_make(events, row->fingerprint, &any);
        event_window_add(tally->window, "", row->event_ms, (size_t)row->part, row->event_id, row->value);
    }
}

static void put_back(void *ctx, const WindowMember *member) { event_window_restore(ctx, member); }

/* The same members under today's rule. */
static void follow_rule(Events *events, const Instance *instance) {
    Tally *tally = tally_find(events, instance->fingerprint);
    if (!tally) return;
    const WindowRule rule = window_rule(instance->alarm->selector);
    EventWindow *fresh = event_window_new(&rule);
    event_window_each(tally->window, put_back, fresh);
    event_window_free(tally->window);
    tally->window = fresh;
    tally->is_wanted = true;
}

void events_configure(Events *events, Series *series, const Watch *watches, size_t count) {
    Instances *table = events->core->instances;
    (void)count;
    events->series = series;
    events->watches = watches;
    novelty_reset(events->novelty);
    for (Tally *t = events->tallies; t; t = t->hh.next) t->is_wanted = false;
    for (const Instance *i = instances_next(table, NULL); i; i = instances_next(table, i))
        if (i->alarm && i->alarm->source && i->alarm->source->has_events) follow_rule(events, i);
    Tally *tally, *next;
    HASH_ITER(hh, events->tallies, tally, next) {
        if (!tally->is_wanted) tally_free(events, tally);
    }
}

/* --- a poll's matches, an instance an entry --- */

typedef struct Touched {
    char fingerprint[FINGERPRINT_TEXT];
    size_t watch, matches;
    bool is_met;
    int64_t count; /* of the newest match that met the condition, else of the newest */
    const ReadEvent *shown[EVENTS_SHOWN]; /* the newest, newest last */
    const ReadEvent *first;
    const char *fields;
    size_t shown_count;
    UT_hash_handle hh;
} Touched;

typedef struct Judging {
    Events *events;
    const Poll *poll;
    const PollOutcome *outcome;
    int64_t now_ms;
    Batch *batch;
    Touched *touched;
} Judging;

static const EventSelector *selector_of(const Events *events, size_t watch) { return events->watches[watch].selector; }

static Instance *instance_of(Judging *in, const EventMatch *match) {
    const Watch *watch = &in->events->watches[match->watch];
    if (series_is_found(in->events->series, match->watch))
        return series_seen(in->events->series, match->watch, match->group, 0, in->now_ms);
    return instance_get(in->events->core->instances, watch->alarm, watch->account, watch->region, watch->source->name,
        NULL, in->now_ms);
}

static Touched *touched_of(Judging *in, const Instance *instance, size_t watch) {
    Touched *touched;
    HASH_FIND_STR(in->touched, instance->fingerprint, touched);
    if (touched) return touched;
    touched = alloc_zeroed(1, sizeof *touched);
    memcpy(touched->fingerprint, instance->fingerprint, FINGERPRINT_TEXT);
    touched->watch = watch;
    HASH_ADD_STR(in->touched, fingerprint, touched);
    return touched;
}

static void show_event(Touched *touched, const ReadEvent *event, const char *fields) {
    if (!touched->first) touched->first = event;
    if (touched->shown_count == EVENTS_SHOWN)
        memmove(touched->shown, touched->shown + 1, --touched->shown_count * sizeof *touched->shown);
    touched->shown[touched->shown_count++] = event;
    touched->fields = fields;
}

/* Does the rule's condition hold with this match? What came too late to be counted with others counts alone. */
static bool is_met(Judging *in, const EventMatch *match, const ReadEvent *event, WindowAnswer answer,
    EventWindow *window, int64_t *ret_count) {
    const EventSelector *selector = selector_of(in->events, match->watch);
    if (answer == WINDOW_FULL) metric_add(in->events->core->metrics, &full_metric, 1, NULL);
    if (answer == WINDOW_ADDED)
        return event_window_meets(window, "", event->time_ms, match->part, event->id, ret_count);
    *ret_count = 1;
    return !selector->correlation && count_meets(&selector->count, 1);
}

static void take_match(Judging *in, const EventMatch *match) {
    Events *events = in->events;
    const Watch *watch = &events->watches[match->watch];
    const EventSelector *selector = watch->selector;
    const ReadEvent *event = &in->outcome->events[match->event];
    if (match->key && !novelty_is_new(events->novelty, watch, match->key, event->time_ms, in->now_ms, in->batch))
        return;
    const Instance *instance = instance_of(in, match);
    if (!instance) return; /* one more than may be watched: told of */
    const WindowRule rule = window_rule(selector);
    Tally *tally = tally_make(events, instance->fingerprint, &rule);
    const WindowAnswer answer =
        event_window_add(tally->window, "", event->time_ms, match->part, event->id, match->value);
    if (answer == WINDOW_KNOWN) return; /* counted already */
    Touched *touched = touched_of(in, instance, match->watch);
    int64_t count = 0;
    const bool met = is_met(in, match, event, answer, tally->window, &count);
    if (met || !touched->is_met) touched->count = count;
    touched->is_met = touched->is_met || met;
    touched->matches++;
    show_event(touched, event, match->fields);
    batch_match(in->batch,
        &(MatchRow){.fingerprint = instance->fingerprint,
            .event_id = event->id,
            .part = match->part,
            .event_ms = event->time_ms,
            .seen_ms = in->now_ms,
            .value = match->value});
}

/* --- words --- */

static char *span_words(int64_t seconds, char text[static TIME_TEXT_MAX]) {
    duration_format(seconds, text);
    return text;
}

/* `root ConsoleLogin from 203.0.113.7`, and how many there were where that says more. Caller frees. */
static char *reason_of(const Touched *touched, const EventSelector *selector) {
    char span[TIME_TEXT_MAX];
    const ReadEvent *newest = touched->shown[touched->shown_count - 1];
    span_words(selector->timespan_s, span);
    if (selector->correlation && selector->correlation->kind == CORRELATE_VALUE_COUNT)
        return text_format("%s; %" PRId64 " different values of %s within %s", newest->brief, touched->count,
            selector->correlation->field, span);
    if (selector->part_count > 1)
        return text_format(
            "%s; %" PRId64 " of %zu rules within %s", newest->brief, touched->count, selector->part_count, span);
    if (touched->count > 1)
        return text_format("%s; %" PRId64 " matches within %s", newest->brief, touched->count, span);
    return text_copy(newest->brief);
}

static void add_line(Buffer *out, const char *line, size_t length) {
    if (out->used + length + 1 > LINES_MAX_BYTES) return;
    buffer_format(out, "%s%.*s", out->used ? "\n" : "", (int)length, line);
}

/* The newest events, a line each; behind them what was shown before, as far as there is room. Caller frees. */
static char *lines_of(const Touched *touched, const char *before) {
    Buffer out = BUFFER((size_t)LINES_MAX_BYTES + 1);
    size_t lines = 0;
    for (size_t i = touched->shown_count; i-- > 0 && lines < EVENTS_SHOWN; lines++) {
        char time[TIME_TEXT_MAX];
        time_format(touched->shown[i]->time_ms, time);
        OWN(text) char *line = text_format("%.10s %.8sZ %s", time, time + 11, touched->shown[i]->brief);
        add_line(&out, line, strlen(line));
    }
    for (const char *line = before; *line && lines < EVENTS_SHOWN; lines++) {
        const size_t length = strcspn(line, "\n");
        add_line(&out, line, length);
        line += length + (line[length] == '\n');
    }
    return buffer_take(&out);
}

/* Who did what, from where, with which result; first and last; up to five events in short. Caller frees. */
static Labels *notes_of(const Touched *touched, const Labels *before) {
    const ReadEvent *newest = touched->shown[touched->shown_count - 1];
    char first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
    const char *known_first = labels_get(before, "first_event");
    OWN(text) char *lines = lines_of(touched, labels_get(before, "events"));
    OWN(text) char *from = text_format("%s%s%s", newest->where, *newest->where ? ", " : "", newest->region);
    time_format(touched->first->time_ms, first);
    time_format(newest->time_ms, last);
    const char *known_last = labels_get(before, "last_event");
    const bool is_earlier = !*known_first || strcmp(first, known_first) < 0;
    const bool is_late = *known_last && strcmp(known_last, last) > 0; /* it came behind younger ones */
    const Label all[] = {{"who", newest->who}, {"what", newest->name}, {"from", from},
        {"result", *newest->error ? newest->error : "success"}, {"first_event", is_earlier ? first : known_first},
        {"last_event", is_late ? known_last : last}, {"events", lines},
        {"fields", touched->fields ? touched->fields : ""}, {"event_id", newest->id}};
    return labels_new(all, COUNT_OF(all));
}

static void set_text(char **into, char *take_text) {
    free(*into);
    *into = take_text;
}

/* --- what it comes to --- */

static void prune(Judging *in, const Instance *instance) {
    Tally *tally = tally_find(in->events, instance->fingerprint);
    if (!tally) return;
    const size_t before = event_window_members(tally->window);
    const WindowRule rule = window_rule(instance->alarm->selector);
    event_window_prune(tally->window, in->now_ms);
    if (event_window_members(tally->window) < before)
        batch_forget_matches(in->batch, instance->fingerprint, in->now_ms - rule.keep_s * 1000);
    if (!event_window_members(tally->window)) tally_free(in->events, tally);
}

static bool is_absence(const Instance *instance) {
    return count_is_absence(&((const EventSelector *)instance->alarm->selector)->count);
}

static void judge_touched(Judging *in, const Touched *touched) {
    Instance *instance = instance_find(in->events->core->instances, touched->fingerprint);
    if (!instance || !instance->alarm || is_absence(instance)) return;
    const EventSelector *selector = instance->alarm->selector;
    const ReadEvent *newest = touched->shown[touched->shown_count - 1];
    const bool is_open = instance_is_firing(instance);
    OWN(text) char *reason = reason_of(touched, selector);
    OWN(labels) Labels *notes = notes_of(touched, is_open ? instance->facts.notes : NULL);
    InstanceChange *change = change_new(instance);
    change->persist = series_is_found(in->events->series, touched->watch); /* what is counted hangs on its row */
    change_events(change,
        &(EventNews){.matches = touched->matches,
            .is_met = touched->is_met,
            .value = (double)touched->count,
            .hold_s = selector->timespan_s,
            .reason = reason,
            .notes = notes},
        in->now_ms);
    if (change->tell) {
        set_text(&change->after.facts.console_url, cloudtrail_event_url(newest->region, newest->id));
        OWN(text) char *what = instance->alarm->source->describe(selector, NULL);
        instance_facts_name(&change->after.facts, what);
    }
    batch_add(in->batch, change);
}

/* From when on silence is believed: when all of the timespan was watched, and as long again as events may be late. A
 * timespan that a reload makes longer than what was kept of earlier matches waits for the rest. */
static int64_t believed_from_ms(Judging *in, const Instance *instance, int64_t span_s, int64_t late_s) {
    const Core *core = in->events->core;
    OWN(text) char *name = text_format("silence/%s", instance->fingerprint);
    const char *text = memory_cursor(core->memory, name);
    OWN(json) json_t *value = text ? json_read(text, strlen(text), NULL) : NULL;
    int64_t known_span_s = 0;
    const bool is_known = instance->hold_until_ms && json_whole(value, "timespan_s", &known_span_s);
    if (is_known && known_span_s == span_s) return instance->hold_until_ms;
    char row[WORD_BYTES];
    snprintf(row, sizeof row, "{\"timespan_s\":%" PRId64 "}", span_s);
    batch_cursor(in->batch, name, row);
    const int64_t kept_s = is_known ? known_span_s + EVENTS_LATE_S : 0;
    const int64_t from_ms = in->now_ms + (span_s + late_s - kept_s) * 1000;
    return is_known && from_ms < instance->hold_until_ms ? instance->hold_until_ms : from_ms;
}

/* Up to when, too: an event that came since then ends the alarm when it, too, had so long to arrive. Caller frees. */
static char *silence_reason(int64_t count, int64_t span_s, int64_t end_ms) {
    char span[TIME_TEXT_MAX], end[TIME_TEXT_MAX];
    time_format(end_ms, end);
    span_words(span_s, span);
    if (!count) return text_format("no match within the %s up to %.5sZ", span, end + 11);
    return text_format("%" PRId64 " match%s within the %s up to %.5sZ", count, count == 1 ? "" : "es", span, end + 11);
}

/* Silence is what alarms: it is believed when events had time to arrive, and not before all of that was watched. */
static void judge_silence(Judging *in, Instance *instance) {
    const EventSelector *selector = instance->alarm->selector;
    const int64_t late_s = selector->timespan_s < EVENTS_SILENCE_LATE_S ? selector->timespan_s : EVENTS_SILENCE_LATE_S;
    const Tally *tally = tally_find(in->events, instance->fingerprint);
    const int64_t end_ms = in->now_ms - late_s * 1000;
    const int64_t count = tally ? event_window_count(tally->window, "", end_ms) : 0;
    const int64_t from_ms = believed_from_ms(in, instance, selector->timespan_s, late_s);
    OWN(text) char *reason = silence_reason(count, selector->timespan_s, end_ms);
    InstanceChange *change = change_new(instance);
    change->after.evaluated_ms = in->now_ms;
    change_error(change, NULL);
    change->persist = from_ms != instance->hold_until_ms;
    change->after.hold_until_ms = from_ms;
    if (!count_meets(&selector->count, count))
        change_state(change, STATE_OK, (double)count, reason, in->now_ms);
    else if (in->now_ms >= from_ms)
        change_state(change, STATE_ALARM, (double)count, reason, in->now_ms);
    batch_add(in->batch, change);
}

static void judge_quiet(Judging *in, Instance *instance) {
    Touched *touched;
    HASH_FIND_STR(in->touched, instance->fingerprint, touched);
    if (is_absence(instance)) return judge_silence(in, instance);
    if (touched && (touched->is_met || instance->memory.state == STATE_ALARM)) return;
    char span[TIME_TEXT_MAX], reason[WORD_BYTES];
    const EventSelector *selector = instance->alarm->selector;
    const Tally *tally = tally_find(in->events, instance->fingerprint);
    const int64_t count = tally ? event_window_count(tally->window, "", in->now_ms) : 0;
    span_words(selector->timespan_s, span);
    if (count)
        snprintf(reason, sizeof reason, "%" PRId64 " match%s within %s", count, count == 1 ? "" : "es", span);
    else
        snprintf(reason, sizeof reason, "no match for %s", span);
    InstanceChange *change = change_new(instance);
    change_no_events(change, reason, in->now_ms);
    batch_add(in->batch, change);
}

/* Matches that may still be counted with others are not to go with their instance, which nobody has open. */
static void stay_while_counting(const Judging *in, Instance *instance) {
    const Tally *tally = tally_find(in->events, instance->fingerprint);
    if (tally && event_window_count(tally->window, "", in->now_ms) > 0) instance->unseen_boot_ms = 0;
}

static void quiet_instance(void *ctx, Instance *instance) {
    Judging *in = ctx;
    if (!instance->alarm) return;
    judge_quiet(in, instance);
    stay_while_counting(in, instance);
    prune(in, instance);
}

/* What was counted for an instance goes with it. */
static void sweep(Events *events, int64_t now_ms) {
    if (now_ms >= events->swept_ms && now_ms - events->swept_ms < SWEEP_EVERY_MS) return;
    events->swept_ms = now_ms;
    Tally *tally, *next;
    HASH_ITER(hh, events->tallies, tally, next) {
        if (!instance_find(events->core->instances, tally->fingerprint)) tally_free(events, tally);
    }
}

/* Everything there is was read: what had no match goes on, or ends. */
static void judge_rest(Judging *in) {
    const Events *events = in->events;
    for (size_t i = 0; i < in->poll->watch_count; i++) {
        const size_t w = in->poll->watches[i];
        const Watch *watch = &events->watches[w];
        if (series_is_found(events->series, w)) {
            series_each_instance(events->series, w, quiet_instance, in);
            continue;
        }
        Instance *instance = instance_get(events->core->instances, watch->alarm, watch->account, watch->region,
            watch->source->name, NULL, in->now_ms);
        quiet_instance(in, instance);
    }
}

static void remember(Judging *in) {
    const PollOutcome *outcome = in->outcome;
    for (size_t i = 0; i < outcome->event_count; i++)
        if (outcome->events[i].is_new) batch_seen(in->batch, outcome->scope, outcome->events[i].id, in->now_ms);
    if (outcome->ids_until_ms) batch_forget_seen(in->batch, outcome->scope, outcome->ids_until_ms);
    for (size_t i = 0; i < outcome->cursor_count; i++)
        batch_cursor(in->batch, outcome->cursors[i].name, outcome->cursors[i].value_json);
}

void events_judge(Events *events, const Poll *poll, const PollOutcome *outcome, int64_t now_ms, Batch *batch) {
    Judging in = {events, poll, outcome, now_ms, batch, NULL};
    for (size_t i = 0; i < outcome->match_count; i++) take_match(&in, &outcome->matches[i]);
    for (const Touched *t = in.touched; t; t = t->hh.next) judge_touched(&in, t);
    if (outcome->is_complete) judge_rest(&in);
    sweep(events, now_ms);
    novelty_prune(events->novelty, now_ms, batch);
    remember(&in);
    Touched *touched, *next;
    HASH_ITER(hh, in.touched, touched, next) {
        HASH_DEL(in.touched, touched);
        free(touched);
    }
}
