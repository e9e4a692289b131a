#include "rules/event_window.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "base/table.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_BYTES = 16, VALUE_BYTES = 8 };

typedef struct Member {
    int64_t time_ms;
    uint8_t id[ID_BYTES];
    uint8_t value[VALUE_BYTES];
    uint32_t kind;
} Member;

typedef struct Group {
    UT_hash_handle hh;
    Member *members; /* by time, id, kind */
    size_t count, room;
    char key[];
} Group;

struct EventWindow {
    WindowRule rule;
    Group *groups;
    size_t members;
    int64_t floor_ms; /* what is older is not taken any more */
    uint64_t dropped;
};

EventWindow *event_window_new(const WindowRule *rule) {
    EventWindow *window = alloc_zeroed(1, sizeof *window);
    window->rule = *rule;
    window->floor_ms = INT64_MIN;
    return window;
}

static void group_drop(EventWindow *window, Group *group) {
    HASH_DEL(window->groups, group);
    window->members -= group->count;
    free(group->members);
    free(group);
}

EventWindow *event_window_free(EventWindow *window) {
    if (!window) return NULL;
    Group *group, *next;
    HASH_ITER(hh, window->groups, group, next) group_drop(window, group);
    free(window);
    return NULL;
}

static void digest(const char *text, uint8_t *into, size_t bytes) {
    uint8_t whole[SHA256_BYTES];
    sha256(text, strlen(text), whole);
    memcpy(into, whole, bytes);
}

static int compare(const Member *a, const Member *b) {
    if (a->time_ms != b->time_ms) return a->time_ms < b->time_ms ? -1 : 1;
    const int order = memcmp(a->id, b->id, ID_BYTES);
    return order ? order : a->kind < b->kind ? -1 : a->kind > b->kind;
}

/* The first member that is not before `member`. */
static size_t lower_bound(const Group *group, const Member *member) {
    size_t low = 0, high = group->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare(&group->members[middle], member) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The first member that is later than time_ms. */
static size_t behind(const Group *group, int64_t time_ms) {
    size_t low = 0, high = group->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (group->members[middle].time_ms <= time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static Group *group_find(const EventWindow *window, const char *key) {
    Group *group = NULL;
    HASH_FIND(hh, window->groups, key, utf8_cut(key, strlen(key), WINDOW_GROUP_BYTES_MAX), group);
    return group;
}

static Group *group_make(EventWindow *window, const char *key) {
    Group *group = group_find(window, key);
    if (group || HASH_COUNT(window->groups) == WINDOW_GROUPS_MAX) return group;
    const size_t length = utf8_cut(key, strlen(key), WINDOW_GROUP_BYTES_MAX);
    group = alloc_zeroed(1, sizeof *group + length + 1);
    memcpy(group->key, key, length);
    HASH_ADD_KEYPTR(hh, window->groups, group->key, length, group);
    return group;
}

static void remove_first(EventWindow *window, Group *group, size_t count) {
    memmove(group->members, group->members + count, (group->count - count) * sizeof *group->members);
    group->count -= count;
    window->members -= count;
}

/* Room for one more: a full group gives its oldest. */
static bool make_room(EventWindow *window, Group *group) {
    const bool full = group->count == WINDOW_GROUP_MEMBERS_MAX || window->members == WINDOW_MEMBERS_MAX;
    window->dropped += full;
    if (full && !group->count) return false;
    if (full) remove_first(window, group, 1);
    if (group->count < group->room) return true;
    group->room = group->room ? 2 * group->room : 4;
    group->members = alloc_again(group->members, group->room, sizeof *group->members);
    return true;
}

static WindowAnswer insert(EventWindow *window, const char *key, const Member *member) {
    if (member->time_ms < window->floor_ms) return WINDOW_LATE;
    Group *group = group_make(window, key);
    if (!group) return window->dropped++, WINDOW_FULL;
    size_t at = lower_bound(group, member);
    if (at < group->count && !compare(&group->members[at], member)) return WINDOW_KNOWN;
    if (!make_room(window, group)) return group_drop(window, group), WINDOW_FULL;
    at = lower_bound(group, member);
    memmove(group->members + at + 1, group->members + at, (group->count - at) * sizeof *member);
    group->members[at] = *member;
    group->count++;
    window->members++;
    return WINDOW_ADDED;
}

static Member member_make(int64_t time_ms, size_t kind, const char *id) {
    Member member = {.time_ms = time_ms, .kind = (uint32_t)kind};
    digest(id, member.id, ID_BYTES);
    return member;
}

WindowAnswer event_window_add(
    EventWindow *window, const char *group, int64_t time_ms, size_t kind, const char *id, const char *value) {
    Member member = member_make(time_ms, kind, id);
    if (value) digest(value, member.value, VALUE_BYTES);
    return insert(window, group, &member);
}

/* --- counting distinct things while a window slides: a table with a count for each --- */

typedef struct Tally {
    struct {
        uint64_t key;
        size_t count;
        bool used;
    } * slots;
    size_t mask;
    int64_t distinct;
} Tally;

static void tally_init(Tally *tally, size_t members) {
    size_t room = 8;
    while (room < 2 * members) room *= 2;
    *tally = (Tally){.slots = alloc_zeroed(room, sizeof *tally->slots), .mask = room - 1};
}

static void tally_change(Tally *tally, uint64_t key, bool more) {
    size_t at = (size_t)table_hash(&key, sizeof key) & tally->mask;
    while (tally->slots[at].used && tally->slots[at].key != key) at = (at + 1) & tally->mask;
    tally->slots[at].used = true;
    tally->slots[at].key = key;
    if (more)
        tally->distinct += tally->slots[at].count++ == 0;
    else
        tally->distinct -= --tally->slots[at].count == 0;
}

static uint64_t key_of(WindowMode mode, const Member *member) {
    uint64_t key = member->kind;
    if (mode == WINDOW_VALUES) memcpy(&key, member->value, sizeof key);
    return key;
}

/* The windows that end at a member from the one at `first` to before `last_end_ms`, in order. True at the first that
 * meets the rule. */
static bool slide(
    const EventWindow *window, const Group *group, size_t first, int64_t last_end_ms, int64_t *ret_count) {
    const int64_t span_ms = window->rule.span_s * 1000;
    const bool plain = window->rule.mode == WINDOW_EVENTS;
    size_t low = behind(group, group->members[first].time_ms - span_ms), high = low;
    Tally tally = {0};
    bool met = false;
    if (!plain) tally_init(&tally, group->count - low);
    while (high < group->count && !met) {
        const int64_t end_ms = group->members[high > first ? high : first].time_ms;
        if (end_ms >= last_end_ms) break;
        for (; high < group->count && group->members[high].time_ms <= end_ms; high++)
            if (!plain) tally_change(&tally, key_of(window->rule.mode, &group->members[high]), true);
        for (; group->members[low].time_ms <= end_ms - span_ms; low++)
            if (!plain) tally_change(&tally, key_of(window->rule.mode, &group->members[low]), false);
        *ret_count = plain ? (int64_t)(high - low) : tally.distinct;
        met = count_meets(&window->rule.condition, *ret_count);
    }
    free(tally.slots);
    return met;
}

/* --- kinds in order: for each kind the latest start of a run that has come so far --- */

typedef struct Run {
    bool there;
    int64_t start_ms;
    const uint8_t *last_id; /* one event is not two steps */
} Run;

typedef struct Runs {
    Run any[WINDOW_KINDS_MAX], with[WINDOW_KINDS_MAX]; /* with: the member that is asked for is in it */
    int64_t span_ms;
    size_t reached; /* of `with`, or of `any` where none is asked for */
} Runs;

static bool extends(const Run *before, const Member *member, int64_t span_ms) {
    return before->there && member->time_ms - before->start_ms < span_ms &&
        memcmp(before->last_id, member->id, ID_BYTES);
}

static void keep_later(Run *run, int64_t start_ms, const Member *member) {
    if (run->there && run->start_ms >= start_ms) return;
    *run = (Run){true, start_ms, member->id};
}

static void runs_take(Runs *runs, const Member *member, const Member *asked) {
    const size_t k = member->kind;
    const bool is_asked = asked && !compare(member, asked);
    if (k == 0) {
        keep_later(&runs->any[0], member->time_ms, member);
        if (is_asked) keep_later(&runs->with[0], member->time_ms, member);
    } else {
        const Run *before = is_asked ? &runs->any[k - 1] : &runs->with[k - 1];
        if (extends(before, member, runs->span_ms)) keep_later(&runs->with[k], before->start_ms, member);
        if (extends(&runs->any[k - 1], member, runs->span_ms))
            keep_later(&runs->any[k], runs->any[k - 1].start_ms, member);
    }
    const Run *here = asked ? &runs->with[k] : &runs->any[k];
    if (here->there && k + 1 > runs->reached) runs->reached = k + 1;
}

/* How many kinds from 0 on follow one another among members[low, high), `asked` among them if it is given. */
static size_t runs_longest(
    const EventWindow *window, const Group *group, size_t low, size_t high, const Member *asked) {
    Runs *runs = alloc_zeroed(1, sizeof *runs);
    runs->span_ms = window->rule.span_s * 1000;
    for (size_t start = low; start < high;) {
        size_t end = start;
        while (end < high && group->members[end].time_ms == group->members[start].time_ms) end++;
        for (size_t kind = 0; kind < window->rule.kinds; kind++)
            for (size_t i = start; i < end; i++)
                if (group->members[i].kind == kind) runs_take(runs, &group->members[i], asked);
        start = end;
    }
    const size_t reached = runs->reached;
    free(runs);
    return reached;
}

bool event_window_meets(
    const EventWindow *window, const char *key, int64_t time_ms, size_t kind, const char *id, int64_t *ret_count) {
    const Group *group = group_find(window, key);
    const Member member = member_make(time_ms, kind, id);
    const size_t at = group ? lower_bound(group, &member) : 0;
    const int64_t span_ms = window->rule.span_s * 1000;
    int64_t count = 0;
    if (!group || at == group->count || compare(&group->members[at], &member)) return false;
    bool met;
    if (window->rule.mode == WINDOW_ORDERED) {
        const size_t low = behind(group, time_ms - span_ms), high = behind(group, time_ms + span_ms - 1);
        count = (int64_t)runs_longest(window, group, low, high, &member);
        met = count_meets(&window->rule.condition, count);
    } else {
        met = slide(window, group, at, time_ms + span_ms, &count);
    }
    if (met) *ret_count = count;
    return met;
}

int64_t event_window_count(const EventWindow *window, const char *key, int64_t end_ms) {
    const Group *group = group_find(window, key);
    if (!group) return 0;
    const size_t low = behind(group, end_ms - window->rule.span_s * 1000), high = behind(group, end_ms);
    if (window->rule.mode == WINDOW_EVENTS) return (int64_t)(high - low);
    if (window->rule.mode == WINDOW_ORDERED) return (int64_t)runs_longest(window, group, low, high, NULL);
    Tally tally;
    tally_init(&tally, high - low);
    for (size_t i = low; i < high; i++) tally_change(&tally, key_of(window->rule.mode, &group->members[i]), true);
    free(tally.slots);
    return tally.distinct;
}

void event_window_prune(EventWindow *window, int64_t now_ms) {
    Group *group, *next;
    const int64_t floor_ms = now_ms - window->rule.keep_s * 1000;
    if (floor_ms <= window->floor_ms) return; /* a clock that went back brings nothing back */
    window->floor_ms = floor_ms;
    HASH_ITER(hh, window->groups, group, next) {
        remove_first(window, group, behind(group, floor_ms - 1));
        if (!group->count) group_drop(window, group);
    }
}

size_t event_window_members(const EventWindow *window) { return window->members; }
uint64_t event_window_dropped(const EventWindow *window) { return window->dropped; }

void event_window_each(const EventWindow *window, WindowVisit *visit, void *ctx) {
    for (const Group *group = window->groups; group; group = group->hh.next) {
        for (size_t i = 0; i < group->count; i++) {
            const Member *member = &group->members[i];
            char id[2 * ID_BYTES + 1], value[2 * VALUE_BYTES + 1];
            const WindowMember shown = {group->key, member->time_ms, member->kind, hex_format(member->id, ID_BYTES, id),
                hex_format(member->value, VALUE_BYTES, value)};
            visit(ctx, &shown);
        }
    }
}

static bool hex_parse(const char *text, uint8_t *into, size_t bytes) {
    if (strlen(text) != 2 * bytes || text[strspn(text, "0123456789abcdef")]) return false;
    for (size_t i = 0; i < bytes; i++) {
        unsigned byte = 0;
        sscanf(text + 2 * i, "%2x", &byte);
        into[i] = (uint8_t)byte;
    }
    return true;
}

bool event_window_restore(EventWindow *window, const WindowMember *shown) {
    Member member = {.time_ms = shown->time_ms, .kind = (uint32_t)shown->kind};
    if (shown->kind >= WINDOW_KINDS_MAX || !hex_parse(shown->id, member.id, ID_BYTES)) return false;
    if (!hex_parse(shown->value, member.value, VALUE_BYTES)) return false;
    return insert(window, shown->group, &member) == WINDOW_ADDED;
}
