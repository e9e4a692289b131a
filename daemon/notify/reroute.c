/* daemon/notify/reroute.c: open alerts, routed anew */
#include "notify/reroute.h"

#include "base/alloc.h"
#include "notify/group.h"

#include <stdlib.h>
#include <string.h>

typedef struct Reroute {
    Groups *groups;
    const GroupWorld *world;
    Arena *arena;
    Rerouting all;
    size_t touch_room;
} Reroute;

static bool is_receiver(const GroupWorld *world, const char *name) {
    for (size_t i = 0; i < world->receiver_count; i++)
        if (!strcmp(world->receivers[i], name)) return true;
    return false;
}

static void keep_touch(Reroute *to, const GroupTouch *touch) {
    if (to->all.touch_count == to->touch_room) {
        to->touch_room = to->touch_room ? 2 * to->touch_room : 16;
        to->all.touches = alloc_again(to->all.touches, to->touch_room, sizeof *to->all.touches);
    }
    to->all.touches[to->all.touch_count++] = *touch;
}

/* The same receiver knows of it by another group: then it is not news. */
static void take_along(Reroute *to, Group *group, Member *member) {
    for (Member *other = members_of(to->groups, member->fingerprint); other; other = other->next) {
        Group *from = other->group;
        if (other == member || !other->is_told || !other->is_leaving || strcmp(from->receiver, group->receiver))
            continue;
        member->is_told = true;
        member->told_no_data = other->told_no_data;
        member->told_flapping = other->told_flapping;
        member->told_starts_ms = other->told_starts_ms;
        member->told_news = other->told_news;
        member->told_at_ms = other->told_at_ms;
        member->was_held = other->was_held;
        member->named_by = other->named_by;
        other->is_told = false;
        group->is_changed = true;
        if (!group->first_flush_ms) group_spoke(to->groups, group, from->first_flush_ms);
        if (group->last_sent_ms < from->last_sent_ms) group->last_sent_ms = from->last_sent_ms;
        return;
    }
}

/* Who is at home where these touches lead stays so: what it was told is not taken along to another home. */
static void settle(Reroute *to, const GroupTouch *touches, size_t count, const char *fingerprint) {
    for (size_t i = 0; i < count; i++) {
        const Group *group = group_find(to->groups, touches[i].key);
        if (!group) continue;
        Member *member = member_find(group, fingerprint);
        if (member) member->is_leaving = false;
        GroupTouch *further;
        const size_t more = touches_escalated(to->groups, to->world, group, to->arena, &further);
        settle(to, further, more, fingerprint); /* an escalation has none of its own */
    }
}

/* A member where this touch leads; a new one is among the touches. NULL: none, and nobody is to be made one. */
static Member *join(Reroute *to, const GroupTouch *touch, const char *fingerprint, bool may_join) {
    Group *group = group_find(to->groups, touch->key);
    Member *member = group ? member_find(group, fingerprint) : NULL;
    if (!member && !may_join) return NULL; /* nobody was told of it: there is no end to tell */
    if (!member) {
        keep_touch(to, touch);
        groups_apply_touch(to->groups, touch, fingerprint);
        group = group_find(to->groups, touch->key);
        member = member_find(group, fingerprint);
        take_along(to, group, member);
    }
    member->is_open = true;
    member->is_leaving = false;
    return member;
}

/* What its receiver was told of goes on to others in its time. */
static void route_on(Reroute *to, const Instance *instance, const Member *told) {
    GroupTouch *touches;
    const size_t count = touches_escalated(to->groups, to->world, told->group, to->arena, &touches);
    for (size_t i = 0; i < count; i++) join(to, &touches[i], instance->fingerprint, instance_is_firing(instance));
}

/* What fires is told again by the times of now, which may be earlier than those of before; so is who hears of it next.
 */
static void hasten(Reroute *to, const Member *member) {
    Group *group = member->group;
    const Route *route = route_of_key(to->world->routes, group->receiver, group->key);
    const int64_t due_ms = group->due.due_ms;
    if (route->base && !group->first_flush_ms) group_look(to->groups, to->world, group);
    if (!member->is_told || !group->last_sent_ms) return;
    const int64_t repeat_ms = group_repeat_ms(group, route);
    if (repeat_ms > to->world->now_ms)
        group_hasten(to->groups, group, repeat_ms);
    else
        group_look(to->groups, to->world, group);
    group->is_changed = group->is_changed || group->due.due_ms != due_ms;
}

static void route_one(Reroute *to, const Instance *instance) {
    for (Member *m = members_of(to->groups, instance->fingerprint); m; m = m->next) m->is_open = true;
    const bool is_firing = instance_is_firing(instance);
    GroupTouch *touches;
    const size_t count = touches_routed(to->groups, to->world, instance->labels, to->arena, &touches);
    settle(to, touches, count, instance->fingerprint);
    for (size_t i = 0; i < count; i++) {
        const Member *member = join(to, &touches[i], instance->fingerprint, is_firing);
        if (member && member->is_told) route_on(to, instance, member);
    }
    for (Member *m = members_of(to->groups, instance->fingerprint); is_firing && m; m = m->next)
        if (!m->is_leaving) hasten(to, m);
}

/* Takes out who has no reason to be there; true if there was one. */
static bool sweep_members(Reroute *to, Group *group) {
    const bool has_receiver = is_receiver(to->world, group->receiver);
    bool has_changed = false;
    for (Member *m = group->members, *next; m; m = next) {
        next = m->hh.next;
        if (m->is_open && (!m->is_leaving || (m->is_told && has_receiver))) continue;
        member_remove(to->groups, m);
        has_changed = true;
    }
    return has_changed || !group->members;
}

static GroupFlush flush_of(Reroute *to, const Group *group) {
    char *told = group_told_format(group);
    const GroupFlush flush = {
        .key = arena_text(to->arena, group->key),
        .seen_touches = group->touches,
        .next_due_ms = group->due.due_ms,
        .first_flush_ms = group->first_flush_ms,
        .last_sent_ms = group->last_sent_ms,
        .told_json = arena_text(to->arena, told),
        .drop = !group->members,
    };
    free(told);
    return flush;
}

static void sweep(Reroute *to) {
    Rerouting *all = &to->all;
    all->flushes = arena_alloc(to->arena, groups_count(to->groups) + 1, sizeof *all->flushes);
    for (Group *group = to->groups->table, *next; group; group = next) {
        next = group->hh.next;
        const bool is_changed = group->is_changed;
        group->is_changed = false;
        if (group->is_busy) continue; /* a turn that runs cleans up behind itself */
        if (!sweep_members(to, group) && !is_changed) continue;
        all->flushes[all->flush_count++] = flush_of(to, group);
        if (!group->members) group_remove(to->groups, group);
    }
}

Rerouting groups_reroute(
    Groups *groups, const GroupWorld *world, const Instance *const *instances, size_t count, Arena *arena) {
    Reroute to = {.groups = groups, .world = world, .arena = arena};
    for (Group *g = groups->table; g; g = g->hh.next)
        for (Member *m = g->members; m; m = m->hh.next) {
            m->is_leaving = true; /* until a route says that it is at home */
            m->is_open = false;
        }
    for (size_t i = 0; i < count; i++)
        if (instances[i]->firing_since_ms) route_one(&to, instances[i]);
    sweep(&to);
    GroupTouch *touches = arena_alloc(arena, to.all.touch_count + 1, sizeof *touches);
    if (to.all.touch_count) memcpy(touches, to.all.touches, to.all.touch_count * sizeof *touches);
    free(to.all.touches);
    to.all.touches = touches;
    return to.all;
}
