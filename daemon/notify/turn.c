/* daemon/notify/turn.c: does a due group speak, why, and what is told then */
#include "notify/turn.h"

#include "base/alloc.h"
#include "notify/group.h"
#include "notify/rest.h"

#include <stdlib.h>
#include <string.h>

static const char reason_first[] = "first notification", reason_new[] = "new alerts added",
                  reason_all_resolved[] = "all alerts resolved", reason_some_resolved[] = "some alerts resolved",
                  reason_escalated[] = "not acknowledged", reason_released[] = "no longer muted",
                  reason_no_data[] = "alert data missing", reason_news[] = "new matches",
                  reason_flaps[] = "alert is flapping", reason_steady[] = "alert stopped flapping",
                  reason_repeat[] = "repeat interval elapsed";

const char *group_reason(const GroupFigures *f) {
    if (f->fresh && f->is_escalation) return reason_escalated;
    if (!f->was_sent) return f->firing ? reason_first : NULL;
    if (f->fresh) return reason_new;
    if (!f->firing && !f->held) return f->ended ? reason_all_resolved : NULL;
    if (f->ended && f->tells_resolved) return reason_some_resolved;
    if (!f->firing) return NULL;
    if (f->released) return reason_released;
    if (f->flaps) return reason_flaps;
    if (f->steady) return reason_steady;
    if (f->news) return reason_news;
    if (f->lost_data) return reason_no_data;
    return f->is_repeat_due ? reason_repeat : NULL;
}

bool reason_is_repeat(const char *reason) { return reason == reason_repeat; }

bool reason_is_resolved(const char *reason) { return reason == reason_all_resolved || reason == reason_some_resolved; }

const char *turn_group_key(const GroupTurn *turn) { return turn->key + strlen(turn->receiver) + 1; }

/* Does the world hold it back? */
typedef struct TurnView {
    const Groups *groups;
    const TurnWorld *world;
    bool is_silent; /* the route, at this time */
    uint32_t keepers; /* the receiver's, as one number */
} TurnView;

static int64_t told_at_ms(const Member *member) {
    return member->told_at_ms ? member->told_at_ms : member->told_starts_ms;
}

/* When an alert that this receiver was not told of is its own; INT64_MAX: not before something else happens. */
static int64_t ripe_ms(const TurnView *view, const Member *member, const GroupAlert *alert) {
    const Route *route = view->world->route;
    const Ack *ack = alert->ack;
    if (!route->base) return 0;
    const Member *base = member_of_base(view->groups, route, member->fingerprint);
    if (!base || (ack && !ack->until_ms)) return INT64_MAX;
    if (base->told_starts_ms != alert->starts_ms) return INT64_MAX; /* they were told of an earlier firing */
    const int64_t after_ms = told_at_ms(base) + route->after_s * 1000;
    return ack && ack->until_ms > after_ms ? ack->until_ms : after_ms;
}

static AlertKind kind_of(const Member *member, const GroupAlert *alert, const TurnView *view) {
    const TurnWorld *world = view->world;
    const Instance *instance = alert->instance;
    if (!instance_is_firing(instance) && !member->is_told) return ALERT_PASSED;
    if (!member->is_told && ripe_ms(view, member, alert) > world->now_ms) return ALERT_WAITS;
    if (view->is_silent || (world->is_muted && world->is_muted(world->ctx, instance))) return ALERT_HELD;
    return instance_is_firing(instance) ? ALERT_FIRES : ALERT_ENDED;
}

static GroupAlert look_at(const Member *member, const Instance *instance, const TurnView *view) {
    GroupAlert alert = {.kind = ALERT_PASSED, .instance = instance};
    memcpy(alert.fingerprint, member->fingerprint, FINGERPRINT_TEXT);
    if (!instance) return alert;
    alert.starts_ms = instance->firing_since_ms;
    if (member->is_told) alert.told_at_ms = told_at_ms(member);
    alert.no_data = instance->data_missing;
    alert.flaps = instance->hold.flap.is_flapping;
    alert.news = instance->news;
    const int64_t told = member->told_starts_ms == alert.starts_ms ? member->told_news : 0;
    if (member->is_told && instance->news > told) alert.more = instance->news - told;
    if (view->world->ack_of) alert.ack = view->world->ack_of(view->world->ctx, instance);
    alert.kind = kind_of(member, &alert, view);
    alert.is_first = alert.kind == ALERT_FIRES && (!member->is_told || member->told_starts_ms != alert.starts_ms);
    alert.was_held = alert.kind == ALERT_FIRES && member->is_told && member->was_held;
    alert.is_named = member->named_by && (alert.kind == ALERT_ENDED || member->named_by == view->keepers);
    return alert;
}

static void count_alert(GroupFigures *figures, const Member *member, const GroupAlert *alert) {
    figures->ended += alert->kind == ALERT_ENDED;
    figures->held += alert->kind == ALERT_HELD;
    if (alert->kind != ALERT_FIRES) return;
    figures->firing++;
    figures->fresh += !member->is_told;
    figures->released += member->is_told && member->was_held && !alert->ack;
    figures->flaps += member->is_told && !alert->ack && alert->flaps && !member->told_flapping;
    figures->steady += member->is_told && !alert->ack && !alert->flaps && member->told_flapping;
    figures->news += alert->more > 0;
    figures->lost_data +=
        alert->no_data && member->is_told && !member->told_no_data && alert->instance->no_data == NODATA_NOTIFY;
}

/* What makes a group look again, of alerts that fire and are routed here. */
typedef struct Outlook {
    size_t waits; /* are not yet this receiver's */
    int64_t ripe_ms; /* the first of those will be; 0: none */
    size_t repeats; /* nobody is on them */
    int64_t ack_ends_ms; /* the first of an acknowledgement; 0: none ends */
    int64_t release_ms; /* the first of one of what was held and, if nothing is said now, is told again then */
} Outlook;

static int64_t earlier(int64_t a_ms, int64_t b_ms) { return !a_ms || (b_ms && b_ms < a_ms) ? b_ms : a_ms; }

static void look_ahead(Outlook *outlook, const Member *member, const GroupAlert *alert, const TurnView *view) {
    if (alert->kind == ALERT_WAITS) {
        const int64_t at_ms = ripe_ms(view, member, alert);
        outlook->waits++;
        if (at_ms != INT64_MAX) outlook->ripe_ms = earlier(outlook->ripe_ms, at_ms);
        return;
    }
    if (alert->kind != ALERT_FIRES || member->is_leaving) return;
    if (!alert->ack) {
        outlook->repeats++;
        return;
    }
    outlook->ack_ends_ms = earlier(outlook->ack_ends_ms, alert->ack->until_ms);
    if (alert->was_held) outlook->release_ms = earlier(outlook->release_ms, alert->ack->until_ms);
}

/* Fills the turn's alerts. */
static GroupFigures take_stock(
    const Groups *groups, const Group *group, GroupTurn *turn, const TurnWorld *world, Outlook *outlook) {
    GroupFigures figures = {.was_sent = group->last_sent_ms != 0,
        .tells_resolved = world->tells_resolved,
        .is_escalation = world->route->base != NULL};
    const TurnView view = {groups, world, route_muted_by(world->route, world->now_ms / 1000) != NULL,
        rest_keepers(world->channels, world->channel_count)};
    turn->alerts = alloc_zeroed(HASH_COUNT(group->members) + 1, sizeof *turn->alerts);
    for (const Member *m = group->members; m; m = m->hh.next) {
        GroupAlert *alert = &turn->alerts[turn->alert_count++];
        *alert = look_at(m, world->find(world->ctx, m->fingerprint), &view);
        count_alert(&figures, m, alert);
        turn->named += alert->kind == ALERT_FIRES && alert->is_named;
        turn->named_ended += alert->kind == ALERT_ENDED && alert->is_named;
        look_ahead(outlook, m, alert, &view);
    }
    turn->firing = figures.firing;
    turn->ended = figures.ended;
    figures.held += rest_put_off(turn, world->channels, world->channel_count);
    figures.ended = turn->ended;
    figures.is_repeat_due =
        figures.was_sent && outlook->repeats && world->now_ms >= group_repeat_ms(group, world->route);
    return figures;
}

/* The message tells again what a silence held back. */
static void release(GroupTurn *turn) {
    for (size_t i = 0; i < turn->alert_count; i++) {
        GroupAlert *alert = &turn->alerts[i];
        alert->is_first = alert->is_first || alert->was_held;
        alert->was_held = false;
    }
}

/* What the receiver knows of an alert that is told now. */
static void member_tell(Member *member, const GroupAlert *alert, const GroupTurn *turn) {
    const uint32_t named_by = rest_named_by(turn, alert);
    if (alert->is_first) member->told_at_ms = turn->now_ms;
    if (named_by) member->named_by = named_by;
    member->is_told = true;
    member->was_held = alert->was_held;
    member->told_starts_ms = alert->starts_ms;
    member->told_news = alert->news;
    member->told_no_data = alert->no_data;
    member->told_flapping = alert->flaps;
}

/* The group as the receiver knows it when this turn is told; memory stays as it is until the commit. Of what is held it
 * knows what it knew: told is told, only a silence makes it news again (semantics 7.3, 7.4). The turn's alerts are the
 * members in their order, so that none of very many is looked for. */
static char *told_after(const Group *before, const GroupTurn *turn) {
    Buffer told = told_begin(turn->names.is_counted);
    const Member *known = before->members;
    for (size_t i = 0; i < turn->alert_count; i++, known = known->hh.next) {
        const GroupAlert *alert = &turn->alerts[i];
        Member after = *known;
        if (alert->kind == ALERT_FIRES) member_tell(&after, alert, turn);
        if (alert->kind == ALERT_FIRES || alert->kind == ALERT_HELD) told_add(&told, &after);
    }
    return told_end(&told);
}

/* When the group must look again: for what repeats, or would when its acknowledgement ends, and at each beat for what
 * is muted. */
static int64_t next_due(const Group *after, const TurnWorld *world, const Outlook *outlook, size_t held) {
    if (!after->first_flush_ms) return outlook->ripe_ms; /* an escalation that has not spoken has no beat */
    const int64_t interval_ms = world->route->group_interval_s * 1000, repeat_ms = group_repeat_ms(after, world->route);
    int64_t due_ms = outlook->repeats ? repeat_ms : 0;
    if (outlook->ripe_ms) due_ms = earlier(due_ms, beat_after(after->first_flush_ms, interval_ms, outlook->ripe_ms));
    if (outlook->ack_ends_ms) {
        const int64_t from_ms = outlook->ack_ends_ms > repeat_ms ? outlook->ack_ends_ms : repeat_ms;
        due_ms = earlier(due_ms, beat_after(after->first_flush_ms, interval_ms, from_ms));
    }
    if (outlook->release_ms)
        due_ms = earlier(due_ms, beat_after(after->first_flush_ms, interval_ms, outlook->release_ms));
    if (held) due_ms = earlier(due_ms, beat_after(after->first_flush_ms, interval_ms, world->now_ms + 1));
    return due_ms;
}

GroupTurn *turn_begin(Groups *groups, const char *key, const TurnWorld *world) {
    Group *group = group_find(groups, key);
    if (!group || group->is_busy) return NULL;
    GroupTurn *turn = alloc_zeroed(1, sizeof *turn);
    turn->key = text_copy(group->key);
    turn->receiver = text_copy(group->receiver);
    turn->labels = group_labels(group);
    if (world->route->base) {
        turn->escalated_from = text_copy(world->route->base->receiver);
        turn->escalated_after_s = world->route->after_s;
    }
    Outlook outlook = {0};
    const GroupFigures figures = take_stock(groups, group, turn, world, &outlook);
    const bool only_waits = outlook.waits && !figures.firing && !figures.held;
    turn->now_ms = world->now_ms;
    turn->shifted_ms = groups->shifted_ms;
    turn->interval_ms = world->route->group_interval_s * 1000;
    turn->reason = group_reason(&figures);
    turn->names.was_counted = turn->names.is_counted = group->is_counted;
    if (turn->reason) {
        release(turn);
        rest_choose(turn, world->channels, world->channel_count);
        outlook.release_ms = 0;
    }
    Group after = *group;
    if (!after.first_flush_ms && !only_waits) after.first_flush_ms = world->now_ms;
    if (turn->reason) after.last_sent_ms = world->now_ms;
    /* An escalation whose receiver knows of nothing that fires begins anew, in the time of what waits. */
    if (world->route->base && !figures.firing && !figures.held) after.first_flush_ms = after.last_sent_ms = 0;
    turn->flush = (GroupFlush){
        .key = turn->key,
        .seen_touches = group->touches,
        .next_due_ms = next_due(&after, world, &outlook, figures.held),
        .first_flush_ms = after.first_flush_ms,
        .last_sent_ms = after.last_sent_ms,
        .told_json = told_after(group, turn),
        .drop = !figures.firing && !figures.held && !outlook.waits,
    };
    group->is_busy = true;
    group->first_coming_ms = after.first_flush_ms;
    due_remove(&groups->due, &group->due);
    return turn;
}

size_t turn_escalates(Groups *groups, const GroupWorld *world, const GroupTurn *turn, Arena *arena,
    GroupTouch **ret_touches, const char ***ret_fingerprints) {
    const Group *group = group_find(groups, turn->key);
    GroupTouch *each;
    const size_t ways = group && turn->firing ? touches_escalated(groups, world, group, arena, &each) : 0;
    if (!ways) return 0;
    *ret_touches = arena_alloc(arena, ways * turn->alert_count, sizeof **ret_touches);
    *ret_fingerprints = arena_alloc(arena, ways * turn->alert_count, sizeof **ret_fingerprints);
    size_t count = 0;
    for (size_t i = 0; i < turn->alert_count; i++)
        for (size_t k = 0; turn->alerts[i].is_first && k < ways; k++) {
            (*ret_touches)[count] = each[k];
            (*ret_fingerprints)[count++] = arena_text(arena, turn->alerts[i].fingerprint);
        }
    return count;
}

static void follow_member(
    Groups *groups, Group *group, const GroupTurn *turn, const GroupAlert *alert, bool was_touched) {
    if (alert->kind == ALERT_WAITS) return;
    if (alert->kind == ALERT_FIRES) {
        Member *member = member_make(groups, group, alert->fingerprint);
        member_tell(member, alert, turn);
        member->was_held = member->was_held || member->is_held_anew;
        member->is_held_anew = false;
        return;
    }
    Member *member = member_find(group, alert->fingerprint);
    if (!member) return;
    if (alert->kind == ALERT_HELD) {
        member->is_held_anew = false;
        return;
    }
    member->is_told = member->was_held = member->is_held_anew = false;
    member->told_no_data = member->told_flapping = false;
    member->told_news = 0;
    member->named_by = 0;
    if (!was_touched) member_remove(groups, member); /* else it may fire again: the next turn looks */
}

/* The next turn looks at what holds its members: nothing is new to it. */
static void forget_held_anew(Group *group) {
    for (Member *m = group->members; m; m = m->hh.next) m->is_held_anew = false;
}

/* As store_commit_batch() treats the row: see GroupFlush. */
static void follow_file(Groups *groups, Group *group, const GroupTurn *turn, int64_t now_ms) {
    const GroupFlush *flush = &turn->flush;
    const bool was_touched = group->touches != flush->seen_touches;
    if (flush->drop && !was_touched) {
        group_remove(groups, group);
        return;
    }
    for (size_t i = 0; i < turn->alert_count; i++) follow_member(groups, group, turn, &turn->alerts[i], was_touched);
    forget_held_anew(group);
    group_spoke(groups, group, flush->first_flush_ms);
    group->last_sent_ms = flush->last_sent_ms;
    group->is_counted = turn->names.is_counted;
    int64_t due_ms = flush->next_due_ms;
    if (was_touched && group->due.due_ms && (!due_ms || group->due.due_ms < due_ms)) due_ms = group->due.due_ms;
    if (!group->first_flush_ms && (group->is_asked || was_touched))
        due_ms = now_ms;
    else if (group->is_asked)
        due_ms = earlier(due_ms, beat_after(group->first_flush_ms, turn->interval_ms, now_ms + 1));
    group->is_asked = false;
    group_set_due(groups, group, due_ms);
}

static void shift(int64_t *time_ms, int64_t by_ms) {
    if (*time_ms) *time_ms += by_ms;
}

/* The wall clock jumped while the commit was under way: what waits, waits as long as before. */
static void follow_clock(GroupTurn *turn, int64_t by_ms) {
    shift(&turn->now_ms, by_ms);
    shift(&turn->flush.next_due_ms, by_ms);
    shift(&turn->flush.first_flush_ms, by_ms);
    shift(&turn->flush.last_sent_ms, by_ms);
}

GroupTurn *turn_end(Groups *groups, GroupTurn *turn, bool is_committed, int64_t now_ms) {
    Group *group = group_find(groups, turn->key);
    if (group) {
        follow_clock(turn, groups->shifted_ms - turn->shifted_ms);
        group->is_busy = false;
        if (is_committed) {
            follow_file(groups, group, turn, now_ms);
        } else {
            forget_held_anew(group);
            group->is_asked = false;
            group_set_due(groups, group, now_ms + TURN_RETRY_MS);
        }
    }
    free((char *)turn->flush.told_json);
    free(turn->names.rest);
    free(turn->alerts);
    free(turn->escalated_from);
    labels_free(turn->labels);
    free(turn->receiver);
    free(turn->key);
    free(turn);
    return NULL;
}
