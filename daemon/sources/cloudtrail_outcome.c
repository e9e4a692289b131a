/* daemon/sources/cloudtrail_outcome.c: what a run read, without doubles, as an outcome */
#include "sources/cloudtrail_run.h"

#include "base/alloc.h"
#include "base/table.h"

#include <stdlib.h>
#include <string.h>

static const Metric events_total = {"tocsin_cloudtrail_events_total",
    "Events that CloudTrail gave out: read (doubles included), new, matched, late by their own word.", METRIC_COUNTER,
    {"account", "region", "kind"}};
static const Metric skipped_total = {"tocsin_cloudtrail_skipped_events_total",
    "Events that were not, or not wholly, judged: not_json (judged by their outer members), no_id, no_time.",
    METRIC_COUNTER, {"account", "region", "reason"}};
static const Metric lag_seconds = {"tocsin_cloudtrail_event_lag_seconds",
    "How old the newest event was when it was first seen.", METRIC_GAUGE, {"account", "region"}};
static const Metric gaps_open = {
    "tocsin_cloudtrail_gaps", "Intervals that are still to be read.", METRIC_GAUGE, {"account", "region"}};

struct SeenId {
    UT_hash_handle hh;
    char text[];
};

void gathered_init(Gathered *all) { *all = (Gathered){.arena = arena_new()}; }

void gathered_deinit(Gathered *all) {
    for (size_t i = 0; i < all->count; i++) event_finding_drop(all->findings[i]);
    HASH_CLEAR(hh, all->ids);
    free(all->findings);
    arena_free(all->arena);
}

static bool remember_id(Gathered *all, const char *id) {
    SeenId *found = NULL;
    const size_t length = strlen(id);
    HASH_FIND(hh, all->ids, id, length, found);
    if (found) return false;
    found = arena_alloc(all->arena, 1, sizeof *found + length + 1);
    memcpy(found->text, id, length + 1);
    HASH_ADD_KEYPTR(hh, all->ids, found->text, length, found);
    return true;
}

static bool was_counted(const PollRun *run, const char *id) {
    return run->world->is_seen && run->world->is_seen(run->world->ctx, run->batch->cursor, id);
}

static void count(const PollRun *run, const char *kind, size_t events) {
    metric_add(
        run->world->metrics, &events_total, (double)events, METRIC_VALUES(run->poll->account, run->poll->region, kind));
}

void gather_count_read(const PollRun *run, size_t entries) { count(run, "read", entries); }

/* What was counted is looked at again only to fill the log, as after a restart. */
static bool fits_log(const PollRun *run, const char *id, int64_t time_s) {
    return !event_log_has(run->batch->memory->log, id) && time_s * 1000 > run->outcome->now_ms - EVENT_LOG_KEPT_MS;
}

bool gather_wants(PollRun *run, const LookupEvent *outer, bool *ret_seen) {
    *ret_seen = false;
    if (!*outer->id) return true; /* the record may know it */
    if (!remember_id(&run->gathered, outer->id)) return false;
    *ret_seen = was_counted(run, outer->id);
    return !*ret_seen || fits_log(run, outer->id, outer->time_s);
}

static bool is_skipped(PollRun *run, const EventFinding *finding) {
    static const char *const reasons[RECORD_STATES] = {NULL, "not_json", "no_id", "no_time"};
    const char *reason = reasons[finding->state];
    if (reason)
        metric_add(
            run->world->metrics, &skipped_total, 1, METRIC_VALUES(run->poll->account, run->poll->region, reason));
    return finding->state == RECORD_NO_ID || finding->state == RECORD_NO_TIME;
}

/* Has the record another id than its entry said? Then it is asked for only now. */
static bool is_double(PollRun *run, const EventFinding *finding, const LookupEvent *outer, bool *seen) {
    if (strcmp(finding->event.id, outer->id) == 0) return false;
    if (!finding->corrects && *outer->id) return false; /* the entry's id is what doubles have in common */
    if (!remember_id(&run->gathered, finding->event.id)) return true;
    *seen = was_counted(run, finding->event.id);
    return *seen && !fits_log(run, finding->event.id, finding->event.time_ms / 1000);
}

void gather_take(PollRun *run, EventFinding *finding, const LookupEvent *outer, bool seen) {
    Gathered *all = &run->gathered;
    if (is_skipped(run, finding) || is_double(run, finding, outer, &seen)) return event_finding_drop(finding);
    if (!finding->corrects && *outer->id) finding->event.id = arena_text(run->outcome->arena, outer->id);
    finding->event.is_new = !seen;
    if (all->count == all->room) {
        all->room = all->room ? 2 * all->room : 64;
        all->findings = alloc_again(all->findings, all->room, sizeof *all->findings);
    }
    all->findings[all->count++] = finding;
    if (seen) return;
    count(run, "new", 1);
    if (finding->match_count) count(run, "matched", 1);
    if (finding->is_late) count(run, "late", 1);
}

static int by_time(const void *a, const void *b) {
    const EventFinding *left = *(EventFinding *const *)a, *right = *(EventFinding *const *)b;
    if (left->event.time_ms != right->event.time_ms) return left->event.time_ms < right->event.time_ms ? -1 : 1;
    return strcmp(left->event.id, right->event.id);
}

static size_t matches_new(const Gathered *all) {
    size_t matches = 0;
    for (size_t i = 0; i < all->count; i++)
        if (all->findings[i]->event.is_new) matches += all->findings[i]->match_count;
    return matches;
}

static void hand_on_matches(EventFinding *finding, size_t event, EventMatch *matches, size_t *match_count) {
    if (!finding->event.is_new) return event_finding_drop(finding);
    for (size_t i = 0; i < finding->match_count; i++) {
        matches[*match_count] = finding->matches[i];
        matches[(*match_count)++].event = event;
    }
    finding->match_count = 0; /* their labels went along */
}

/* What was read of a gap, or late, says how old it is, not how long events take now. */
static void note_lag(PollRun *run, const ReadEvent *newest) {
    EventMemory *memory = run->batch->memory;
    if (newest->time_ms / 1000 < run->cursor.high_water_s) return;
    const int64_t late_ms = run->outcome->now_ms - newest->time_ms;
    memory->lag_s = late_ms > 0 ? late_ms / 1000 : 0;
    metric_set(
        run->world->metrics, &lag_seconds, (double)memory->lag_s, METRIC_VALUES(run->poll->account, run->poll->region));
}

void gather_hand_on(PollRun *run) {
    Gathered *all = &run->gathered;
    PollOutcome *outcome = run->outcome;
    ReadEvent *events = arena_alloc(outcome->arena, all->count + 1, sizeof *events);
    EventMatch *matches = arena_alloc(outcome->arena, matches_new(all) + 1, sizeof *matches);
    const ReadEvent *newest = NULL;
    if (all->count) qsort(all->findings, all->count, sizeof *all->findings, by_time);
    for (size_t i = 0; i < all->count; i++) {
        EventFinding *finding = all->findings[i];
        events[i] = finding->event;
        if (finding->event.is_new) newest = &events[i];
        event_log_add(run->batch->memory->log, &finding->event, finding->rules, finding->rule_count);
        hand_on_matches(finding, i, matches, &outcome->match_count);
    }
    outcome->events = events;
    outcome->event_count = all->count;
    outcome->matches = matches;
    if (newest) note_lag(run, newest);
}

/* --- what is remembered of it --- */

/* An id may go when its event is not read again: then it was seen before the overlap began. Not earlier, however quiet
 * it is, since the newest event is read again each time. */
static void conclude_ids(PollRun *run) {
    CloudtrailCursor *cursor = &run->cursor;
    if (cursor->gap_count) return; /* ids_until_ms stays 0 */
    const int64_t until_s = cursor->high_water_s - run->batch->overlap_s - CLOUDTRAIL_IDS_SLACK_S;
    if (until_s > cursor->known_from_s) cursor->known_from_s = until_s;
    run->outcome->ids_until_ms = until_s > 0 ? until_s * 1000 : 0;
}

static int64_t lag_s(const PollRun *run) {
    const EventMemory *memory = run->batch->memory;
    if (run->cursor.gap_count) return run->now_s - run->cursor.gaps[0].from_s;
    if (!run->outcome->is_complete && memory->complete_s) return run->now_s - memory->complete_s;
    return memory->lag_s < 0 && run->outcome->is_complete ? 0 : memory->lag_s;
}

void gather_conclude(PollRun *run) {
    EventMemory *memory = run->batch->memory;
    PollOutcome *outcome = run->outcome;
    CloudtrailCursor *cursor = &run->cursor;
    if (run->newest_s > cursor->high_water_s) cursor->high_water_s = run->newest_s;
    if (cursor->high_water_s > run->now_s) cursor->high_water_s = run->now_s;
    conclude_ids(run);
    char *json = cursor_format(cursor);
    PollCursor *row = arena_alloc(outcome->arena, 1, sizeof *row);
    *row = (PollCursor){run->batch->cursor, arena_text(outcome->arena, json)};
    free(json);
    outcome->scope = run->batch->cursor;
    outcome->cursors = row;
    outcome->cursor_count = 1;
    outcome->is_complete = !outcome->failed && !run->is_partial && !cursor->gap_count;
    if (outcome->is_complete) memory->complete_s = run->now_s;
    outcome->lag_s = lag_s(run);
    outcome->feed_seen_ms = memory->feed_ms;
    event_log_prune(memory->log, outcome->now_ms, outcome->is_complete ? outcome->now_ms : 0);
    outcome->kept = event_log_ref(memory->log);
    metric_set(run->world->metrics, &gaps_open, (double)cursor->gap_count,
        METRIC_VALUES(run->poll->account, run->poll->region));
}
