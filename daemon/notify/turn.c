/* daemon/notify/turn.c: does a due group speak, why, and what is told then */
#include "notify/turn.h"

#include "base/alloc.h"
#include "notify/group.h"

#include <stdlib.h>
#include <string.h>

static const char reason_first[] = "first notification", reason_new[] = "new alerts added",
                  reason_all_resolved[] = "all alerts resolved", reason_some_resolved[] = "some alerts resolved",
                  reason_no_data[] = "alert data missing", reason_news[] = "new matches",
                  reason_repeat[] = "repeat interval elapsed";

const char *group_reason(const GroupFigures *f) {
    if (!f->was_sent) return f->firing ? reason_first : NULL;
    if (f->fresh) return reason_new;
    if (!f->firing) return f->ended ? reason_all_resolved : NULL;
    if (f->ended && f->tells_resolved) return reason_some_resolved;
    if (f->news) return reason_news;
    if (f->lost_data) return reason_no_data;
    return f->is_repeat_due ? reason_repeat : NULL;
}

bool reason_is_repeat(const char *reason) { return reason == reason_repeat; }

bool reason_is_resolved(const char *reason) { return reason == reason_all_resolved || reason == reason_some_resolved; }

const char *turn_group_key(const GroupTurn *turn) { return turn->key + strlen(turn->receiver) + 1; }

static GroupAlert look_at(const Member *member, const Instance *instance) {
    GroupAlert alert = {.kind = ALERT_PASSED, .instance = instance};
    memcpy(alert.fingerprint, member->fingerprint, FINGERPRINT_TEXT);
    if (!instance) return alert;
    alert.starts_ms = instance->firing_since_ms;
    alert.no_data = instance->data_missing;
    alert.news = instance->news;
    const int64_t told = member->told_starts_ms == alert.starts_ms ? member->told_news : 0;
    if (member->is_told && instance->news > told) alert.more = instance->news - told;
    if (instance_is_firing(instance)) {
        alert.kind = ALERT_FIRES;
    } else if (member->is_told) {
        alert.kind = ALERT_ENDED;
    }
    return alert;
}

static int64_t repeat_at(const Group *group, const Route *timing) {
    const int64_t interval_ms = timing->group_interval_s * 1000;
    /* From the beat, not from the moment: a message some milliseconds late would push its repeat by a whole interval.
     */
    const int64_t sent_ms = beat_before(group->first_flush_ms, interval_ms, group->last_sent_ms);
    return beat_after(group->first_flush_ms, interval_ms, sent_ms + timing->repeat_interval_s * 1000);
}

/* Fills the turn's alerts; `*ret_stays` counts those that fire and are routed here. */
static GroupFigures take_stock(const Group *group, GroupTurn *turn, GroupFind *find, void *ctx, size_t *ret_stays) {
    GroupFigures figures = {.was_sent = group->last_sent_ms != 0};
    turn->alerts = alloc_zeroed(HASH_COUNT(group->members) + 1, sizeof *turn->alerts);
    *ret_stays = 0;
    for (const Member *m = group->members; m; m = m->hh.next) {
        const Instance *instance = find(ctx, m->fingerprint);
        const GroupAlert alert = look_at(m, instance);
        turn->alerts[turn->alert_count++] = alert;
        figures.ended += alert.kind == ALERT_ENDED;
        if (alert.kind != ALERT_FIRES) continue;
        figures.firing++;
        figures.fresh += !m->is_told;
        figures.news += alert.more > 0;
        figures.lost_data += alert.no_data && m->is_told && !m->told_no_data && instance->no_data == NODATA_NOTIFY;
        *ret_stays += !m->is_leaving;
    }
    turn->firing = figures.firing;
    turn->ended = figures.ended;
    return figures;
}

/* The group as the receiver knows it when this turn is told; memory stays as it is until the commit. */
static char *told_after(const GroupTurn *turn) {
    Groups scratch = {0};
    Group *group = group_make(&scratch, turn->key, turn->receiver, "{}");
    for (size_t i = 0; i < turn->alert_count; i++) {
        const GroupAlert *alert = &turn->alerts[i];
        if (alert->kind != ALERT_FIRES) continue;
        Member *member = member_make(&scratch, group, alert->fingerprint);
        member->is_told = true;
        member->told_starts_ms = alert->starts_ms;
        member->told_news = alert->news;
        member->told_no_data = alert->no_data;
    }
    char *told = group_told_format(group);
    group_remove(&scratch, group);
    return told;
}

GroupTurn *turn_begin(Groups *groups, const char *key, const Route *timing, bool tells_resolved, GroupFind *find,
    void *ctx, int64_t now_ms) {
    Group *group = group_find(groups, key);
    if (!group || group->is_busy) return NULL;
    GroupTurn *turn = alloc_zeroed(1, sizeof *turn);
    turn->key = text_copy(group->key);
    turn->receiver = text_copy(group->receiver);
    turn->labels = labels_ref(group->labels);
    size_t stays;
    GroupFigures figures = take_stock(group, turn, find, ctx, &stays);
    figures.tells_resolved = tells_resolved;
    figures.is_repeat_due = figures.was_sent && stays && now_ms >= repeat_at(group, timing);
    turn->reason = group_reason(&figures);
    Group after = *group;
    if (!after.first_flush_ms) after.first_flush_ms = now_ms;
    if (turn->reason) after.last_sent_ms = now_ms;
    turn->flush = (GroupFlush){
        .key = turn->key,
        .seen_touches = group->touches,
        .next_due_ms = stays ? repeat_at(&after, timing) : 0,
        .first_flush_ms = after.first_flush_ms,
        .last_sent_ms = after.last_sent_ms,
        .told_json = told_after(turn),
        .drop = figures.firing == 0,
    };
    group->is_busy = true;
    due_remove(&groups->due, &group->due);
    return turn;
}

static void follow_member(Groups *groups, Group *group, const GroupAlert *alert, bool was_touched) {
    if (alert->kind == ALERT_FIRES) {
        Member *member = member_make(groups, group, alert->fingerprint);
        member->is_told = true;
        member->told_starts_ms = alert->starts_ms;
        member->told_news = alert->news;
        member->told_no_data = alert->no_data;
        return;
    }
    Member *member = member_find(group, alert->fingerprint);
    if (!member) return;
    member->is_told = member->told_no_data = false;
    member->told_news = 0;
    if (!was_touched) member_remove(groups, member); /* else it may fire again: the next turn looks */
}

/* As store_commit_batch() treats the row: see GroupFlush. */
static void follow_file(Groups *groups, Group *group, const GroupTurn *turn) {
    const GroupFlush *flush = &turn->flush;
    const bool was_touched = group->touches != flush->seen_touches;
    if (flush->drop && !was_touched) {
        group_remove(groups, group);
        return;
    }
    for (size_t i = 0; i < turn->alert_count; i++) follow_member(groups, group, &turn->alerts[i], was_touched);
    group->first_flush_ms = flush->first_flush_ms;
    group->last_sent_ms = flush->last_sent_ms;
    int64_t due_ms = flush->next_due_ms;
    if (was_touched && group->due.due_ms && (!due_ms || group->due.due_ms < due_ms)) due_ms = group->due.due_ms;
    group_set_due(groups, group, due_ms);
}

GroupTurn *turn_end(Groups *groups, GroupTurn *turn, bool is_committed, int64_t now_ms) {
    Group *group = group_find(groups, turn->key);
    if (group) {
        group->is_busy = false;
        if (is_committed) {
            follow_file(groups, group, turn);
        } else {
            group_set_due(groups, group, now_ms + TURN_RETRY_MS);
        }
    }
    free((char *)turn->flush.told_json);
    free(turn->alerts);
    labels_free(turn->labels);
    free(turn->receiver);
    free(turn->key);
    free(turn);
    return NULL;
}
