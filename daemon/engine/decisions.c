#include "engine/decisions.h"

#include "base/alloc.h"
#include "base/table.h"
#include "base/timetext.h"

#include <stdlib.h>
#include <string.h>

/* The last decision about an alert in a group, by hashes of the texts: there may be as many as DECISIONS_KNOWN. */
typedef struct Known {
    uint64_t key, said;
    UT_hash_handle hh;
} Known;

struct Decisions {
    Core *core;
    Known *known;
};

Decisions *decisions_new(Core *core) {
    Decisions *all = alloc_zeroed(1, sizeof *all);
    all->core = core;
    return all;
}

static void known_remove(Decisions *all, Known *known) {
    HASH_DEL(all->known, known);
    free(known);
}

Decisions *decisions_free(Decisions *all) {
    if (!all) return NULL;
    while (all->known) known_remove(all, all->known);
    free(all);
    return NULL;
}

static const char told[] = "told";

static uint64_t pair_hash(const char *a, const char *b) {
    const uint64_t both[] = {table_hash(a, strlen(a)), table_hash(b, strlen(b))};
    return table_hash(both, sizeof both);
}

static uint64_t key_of(const DecisionRow *row) { return pair_hash(row->fingerprint, row->group_key); }

static uint64_t said_of(const DecisionRow *row) { return pair_hash(row->decision, row->reason); }

static Known *known_find(const Decisions *all, uint64_t key) {
    Known *known;
    HASH_FIND(hh, all->known, &key, sizeof key, known);
    return known;
}

/* Is it another one than the last? Then it is the last from here on; the oldest goes where there are too many. */
static bool is_news(Decisions *all, const DecisionRow *row) {
    const uint64_t key = key_of(row), said = said_of(row);
    Known *known = known_find(all, key);
    const bool is_same = known && known->said == said;
    if (is_same && row->decision != told) return false; /* each message counts */
    if (known) known_remove(all, known);
    if (HASH_COUNT(all->known) >= DECISIONS_KNOWN) known_remove(all, all->known);
    known = alloc_zeroed(1, sizeof *known);
    known->key = key;
    known->said = said;
    HASH_ADD(hh, all->known, key, sizeof known->key, known);
    return true;
}

void decisions_unsay(Decisions *all, const DecisionRow *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        Known *known = known_find(all, key_of(&rows[i]));
        if (known) known_remove(all, known);
    }
}

static char *silence_words(const Core *core, const Labels *labels, int64_t now_ms) {
    const char *id;
    char until[TIME_TEXT_MAX];
    const Silences *silences = mutes_silences(core->mutes);
    if (!silences_mute(silences, labels, now_ms, &id, 1, NULL)) return NULL;
    const Silence *silence = silences_find(silences, id);
    return text_format("silenced by %.80s until %s: %.200s (%s)", silence->created_by,
        time_format(silence->ends_ms, until), silence->comment, id);
}

static char *inhibitor_words(const Core *core, const Labels *labels, int64_t now_ms) {
    const char *found;
    if (!mutes_inhibitors(core->mutes, labels, now_ms, &found, 1)) return NULL;
    const Instance *other = instance_find(core->instances, found);
    return text_format("inhibited while `%.200s` fires (%s)", other ? other->name : "another alert", found);
}

char *decision_held_words(const Core *core, const Route *route, const Instance *instance, int64_t now_ms) {
    char *words = silence_words(core, instance->labels, now_ms);
    if (!words) words = inhibitor_words(core, instance->labels, now_ms);
    const Interval *interval = words || !route ? NULL : route_muted_by(route, now_ms / 1000);
    return interval ? text_format("the route is silent at this time (%.200s)", interval->name) : words;
}

static const char *held_words(
    const Core *core, const GroupTurn *turn, const Route *route, const GroupAlert *alert, Arena *arena) {
    OWN(text) char *words = decision_held_words(core, route, alert->instance, turn->now_ms);
    return words ? arena_text(arena, words) : "muted";
}

/* NULL decision: nothing worth a row. */
typedef struct Ruling {
    const char *decision, *reason; /* static, or in the arena */
} Ruling;

static Ruling rule_on(
    const Core *core, const GroupTurn *turn, const Route *route, const GroupAlert *alert, Arena *arena) {
    char span[TIME_TEXT_MAX];
    const Ack *ack = alert->ack;
    switch (alert->kind) {
    case ALERT_FIRES:
    case ALERT_ENDED:
        if (turn->reason) return (Ruling){told, turn->reason};
        if (alert->kind == ALERT_FIRES && ack)
            return (Ruling){"held",
                arena_format(arena, "acknowledged by %.80s%s%.200s", ack->by, *ack->comment ? ": " : "", ack->comment)};
        break;
    case ALERT_HELD:
        if (alert->is_put_off) return (Ruling){"held", "its end had no room among others: the next message tells it"};
        return (Ruling){"held", held_words(core, turn, route, alert, arena)};
    case ALERT_WAITS:
        return (Ruling){"waits",
            arena_format(arena, "it goes on to this receiver if nobody acknowledges it for %s, after `%.200s` was told",
                duration_format(turn->escalated_after_s, span), turn->escalated_from ? turn->escalated_from : "")};
    case ALERT_PASSED: return (Ruling){"passed", "it was over before its group's time"};
    }
    return (Ruling){NULL, NULL};
}

size_t decisions_of_turn(
    Decisions *all, const GroupTurn *turn, const Route *route, Arena *arena, DecisionRow **ret_rows) {
    DecisionRow *rows = arena_alloc(arena, turn->alert_count + 1, sizeof *rows);
    const char *key = arena_text(arena, turn->key), *receiver = arena_text(arena, turn->receiver);
    size_t count = 0;
    for (size_t i = 0; i < turn->alert_count; i++) {
        const GroupAlert *alert = &turn->alerts[i];
        if (alert->kind == ALERT_PASSED && !alert->instance) continue;
        const Ruling ruling = rule_on(all->core, turn, route, alert, arena);
        if (!ruling.decision) continue;
        rows[count] = (DecisionRow){.time_ms = turn->now_ms,
            .fingerprint = arena_text(arena, alert->fingerprint),
            .group_key = key,
            .receiver = receiver,
            .decision = ruling.decision,
            .reason = ruling.reason};
        count += is_news(all, &rows[count]);
    }
    *ret_rows = rows;
    return count;
}

void decisions_date(DecisionRow *rows, size_t count, int64_t made_ms) {
    for (size_t i = 0; i < count; i++) {
        if (rows[i].decision != told) continue;
        if (made_ms) {
            rows[i].time_ms = made_ms;
        } else {
            rows[i].decision = "passed";
            rows[i].reason = "no channel of the receiver takes this message";
        }
    }
}
