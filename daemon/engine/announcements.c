/* daemon/engine/announcements.c: a queue of changes that are applied and not yet told of */
#include "engine/announcements.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"

#include <stdlib.h>

static const Metric transitions_metric = {
    "tocsin_transitions_total", "Transitions by the state reached.", METRIC_COUNTER, {"to"}};

/* Of one batch. */
typedef struct Words {
    InstanceChange **changes;
    size_t count, said;
    struct Words *next;
} Words;

struct Announcements {
    Core *core;
    Words *first, **last;
};

Announcements *announcements_new(Core *core) {
    Announcements *all = alloc_zeroed(1, sizeof *all);
    all->core = core;
    all->last = &all->first;
    return all;
}

json_t *transition_json(const Instance *instance, const Transition *transition) {
    json_t *json = json_object();
    json_object_set_new(json, "time", json_time(transition->time_ms));
    json_object_set_new(json, "name", json_safe(instance->name));
    json_object_set_new(json, "fingerprint", json_safe(instance->fingerprint));
    json_object_set_new(json, "from", json_string(state_word(transition->from)));
    json_object_set_new(json, "to", json_string(state_word(transition->to)));
    json_object_set_new(json, "value", json_number(transition->value));
    json_object_set_new(json, "reason", json_safe(transition->reason));
    return json;
}

static void announce(Core *core, const Instance *instance, const Transition *t) {
    metric_add(core->metrics, &transitions_metric, 1, METRIC_VALUES(state_word(t->to)));
    LOG(INFO, "alarm changed state", KV("fingerprint", instance->fingerprint), KV("alarm", instance->name),
        KV("account", instance->account), KV("region", instance->region), KV("from", state_word(t->from)),
        KV("to", state_word(t->to)), KV("reason", t->reason));
    if (!core->event) return;
    json_t *json = transition_json(instance, t);
    core->event(core->event_ctx, "transition", json);
    json_decref(json);
}

static void say(Core *core, const InstanceChange *change) {
    for (size_t t = 0; t < change->transition_count; t++) announce(core, &change->after, &change->transitions[t]);
}

static void drop_first(Announcements *all) {
    Words *words = all->first;
    all->first = words->next;
    if (!all->first) all->last = &all->first;
    free(words->changes);
    free(words);
}

static void say_some(Announcements *all, size_t most) {
    while (all->first && most) {
        Words *words = all->first;
        for (; words->said < words->count && most; most--) {
            InstanceChange *change = words->changes[words->said++];
            say(all->core, change);
            change_free(change);
        }
        if (words->said == words->count) drop_first(all);
    }
}

Announcements *announcements_free(Announcements *all) {
    if (!all) return NULL;
    say_some(all, SIZE_MAX);
    free(all);
    return NULL;
}

void announcements_take(Announcements *all, InstanceChange **take_changes, size_t count) {
    Words *words = alloc_zeroed(1, sizeof *words);
    *words = (Words){.changes = take_changes, .count = count};
    *all->last = words;
    all->last = &words->next;
    if (all->first == words) announcements_tick(all);
}

void announcements_say(Announcements *all, InstanceChange *const *changes, size_t count) {
    say_some(all, SIZE_MAX);
    for (size_t i = 0; i < count; i++) say(all->core, changes[i]);
}

void announcements_tick(Announcements *all) { say_some(all, ANNOUNCED_AT_ONCE); }

bool announcements_wait(const Announcements *all) { return all->first != NULL; }
