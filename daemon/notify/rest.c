/* daemon/notify/rest.c: what a turn's message shows and names */
#include "notify/rest.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "notify/render_alert.h"
#include "notify/render_pick.h"

/* --- keepers --- */

uint32_t rest_keepers(const ReceiverChannel *channels, size_t count) {
    uint64_t all = 0;
    for (size_t i = 0; i < count; i++) {
        const ReceiverChannel *channel = &channels[i];
        if (!channel->wants_rest) continue;
        all = all * 31 + stable_hash(channel->plugin) + 2 * channel->index + channel->wants_again + 1;
    }
    const uint32_t folded = (uint32_t)(all ^ all >> 32);
    return all && folded <= REST_SOME ? REST_SOME + 1 : folded;
}

bool channel_gets(const ReceiverChannel *channel, const char *reason, size_t firing) {
    if (channel->has_waiting && reason_is_repeat(reason)) return false;
    return channel->send_resolved || (firing && !reason_is_resolved(reason));
}

/* What the receiver's keepers have in common. */
typedef struct Keepers {
    bool tells_ends, wants_again; /* to one of them, one of them */
    bool hears, all_hear; /* of this turn: one of them, all */
} Keepers;

static Keepers keepers_of(const GroupTurn *turn, const ReceiverChannel *channels, size_t count) {
    Keepers all = {.all_hear = true};
    for (size_t i = 0; i < count; i++) {
        if (!channels[i].wants_rest) continue;
        const bool hears = turn->reason && channel_gets(&channels[i], turn->reason, turn->firing);
        all.tells_ends = all.tells_ends || channels[i].send_resolved;
        all.wants_again = all.wants_again || channels[i].wants_again;
        all.hears = all.hears || hears;
        all.all_hear = all.all_hear && hears;
    }
    return all;
}

bool rest_is_news(const GroupAlert *alert) { return alert->is_first || !alert->is_named; }

/* --- the choice --- */

static void name_alert(TurnNames *names, GroupAlert *alert) {
    alert->is_rest = true;
    names->rest[names->rest_count++] = alert;
    if (alert->kind != ALERT_FIRES) return;
    names->rest_firing++;
    names->known += !alert->is_named;
}

/* The turn's own alert, which may be written. */
static GroupAlert *own(const GroupTurn *turn, const GroupAlert *alert) { return &turn->alerts[alert - turn->alerts]; }

static size_t hold_unnamed_ends(GroupTurn *turn) {
    size_t held = 0;
    for (size_t i = 0; i < turn->alert_count; i++) {
        GroupAlert *alert = &turn->alerts[i];
        if (alert->kind != ALERT_ENDED || !alert->is_named || alert->is_rest) continue;
        alert->kind = ALERT_HELD;
        alert->is_put_off = true;
        held++;
    }
    turn->ended -= held;
    return held;
}

size_t rest_put_off(GroupTurn *turn, const ReceiverChannel *channels, size_t count) {
    const GroupAlert *first[REST_MAX];
    if (!turn->ended || !keepers_of(turn, channels, count).tells_ends) return 0;
    turn->names.rest = alloc_zeroed((size_t)2 * REST_MAX, sizeof(GroupAlert *));
    const size_t ends = pick_first(turn, ALERT_ENDED, pick_named_first, REST_MAX, first);
    size_t bytes = 0, named = 0;
    for (size_t i = 0; i < ends; i++) {
        const size_t more = render_alert_brief_room(first[i], turn->escalated_from);
        if (turn->names.rest_count && bytes + more > REST_ENDS_BYTES_MAX) continue; /* one that is longer goes alone */
        bytes += more;
        named += first[i]->is_named;
        name_alert(&turn->names, own(turn, first[i]));
    }
    turn->names.rest_bytes = bytes;
    return named < turn->named_ended ? hold_unnamed_ends(turn) : 0;
}

/* Of these, what is news or what is not, as long as there is room. */
static void name_some(GroupTurn *turn, const GroupAlert *const *list, size_t count, bool is_news) {
    TurnNames *names = &turn->names;
    for (size_t i = 0; i < count && names->rest_firing < REST_MAX; i++) {
        if (list[i]->is_rest || rest_is_news(list[i]) != is_news) continue;
        const size_t more = render_alert_brief_room(list[i], turn->escalated_from);
        if (names->rest_bytes + more > REST_BYTES_MAX) continue;
        names->rest_bytes += more;
        name_alert(names, own(turn, list[i]));
    }
}

/* Those that are shown are named in any case: a keeper that is shown them knows them, and so all must. */
static void name_firing(GroupTurn *turn, bool wants_again) {
    const GroupAlert *first[REST_MAX];
    TurnNames *names = &turn->names;
    if (!names->rest) names->rest = alloc_zeroed(REST_MAX, sizeof(GroupAlert *));
    for (size_t i = 0; i < names->fires_count; i++) {
        if (!wants_again && !rest_is_news(names->fires[i])) continue;
        names->rest_bytes += render_alert_brief_room(names->fires[i], turn->escalated_from);
        name_alert(names, own(turn, names->fires[i]));
    }
    const size_t fires = pick_first(turn, ALERT_FIRES, pick_named_first, REST_MAX, first);
    name_some(turn, first, fires, true); /* repeats take no room from those that nobody knows */
    if (wants_again) name_some(turn, first, fires, false);
}

static size_t show(GroupTurn *turn, AlertKind kind, const GroupAlert **into) {
    const size_t count = pick_first(turn, kind, pick_severe_first, TURN_SHOWN_MAX, into);
    for (size_t i = 0; i < count; i++) own(turn, into[i])->is_shown = true;
    return count;
}

void rest_choose(GroupTurn *turn, const ReceiverChannel *channels, size_t count) {
    TurnNames *names = &turn->names;
    names->fires_count = show(turn, ALERT_FIRES, names->fires);
    names->ends_count = show(turn, ALERT_ENDED, names->ends);
    const Keepers keepers = keepers_of(turn, channels, count);
    if (!keepers.hears) return;
    names->known = turn->named;
    name_firing(turn, keepers.wants_again);
    names->heard_by = keepers.all_hear ? rest_keepers(channels, count) : REST_SOME;
    names->is_counted = names->known < turn->firing || (keepers.wants_again && names->rest_firing < turn->firing) ||
        (names->was_counted && !keepers.all_hear);
}

uint32_t rest_named_by(const GroupTurn *turn, const GroupAlert *alert) {
    return alert->is_rest && !alert->is_named ? turn->names.heard_by : 0;
}
