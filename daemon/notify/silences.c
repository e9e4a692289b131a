#include "notify/silences.h"

#include "base/alloc.h"
#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

static const int64_t keep_ms = (int64_t)SILENCES_KEEP_H * 3600 * 1000;

struct Silences {
    Silence **list; /* oldest first */
    size_t count;
};

Silences *silences_new(void) { return alloc_zeroed(1, sizeof(Silences)); }

Silences *silences_free(Silences *all) {
    if (!all) return NULL;
    for (size_t i = 0; i < all->count; i++) silence_free(all->list[i]);
    free(all->list);
    free(all);
    return NULL;
}

static size_t index_of(const Silences *all, const char *id) { /* count: there is none */
    size_t i = 0;
    while (i < all->count && strcmp(all->list[i]->id, id) != 0) i++;
    return i;
}

size_t silences_count(const Silences *all) { return all->count; }
const Silence *silences_at(const Silences *all, size_t index) { return all->list[index]; }

const Silence *silences_find(const Silences *all, const char *id) {
    const size_t i = index_of(all, id);
    return i < all->count ? all->list[i] : NULL;
}

void silences_add(Silences *all, Silence *take_silence) {
    const size_t i = index_of(all, take_silence->id);
    if (i < all->count) {
        silence_free(all->list[i]);
    } else {
        all->list = alloc_again(all->list, all->count + 1, sizeof *all->list);
        all->count++;
    }
    all->list[i] = take_silence;
}

void silences_forget(Silences *all, const char *id) {
    const size_t i = index_of(all, id);
    if (i == all->count) return;
    silence_free(all->list[i]);
    memmove(all->list + i, all->list + i + 1, (all->count - i - 1) * sizeof *all->list);
    all->count--;
}

/* --- changes --- */

void silence_change_deinit(SilenceChange *change) {
    for (size_t i = 0; i < change->count; i++) silence_free(change->puts[i]);
    *change = (SilenceChange){.count = 0};
}

void silences_apply(Silences *all, SilenceChange *take_change) {
    for (size_t i = 0; i < take_change->count; i++) silences_add(all, take_change->puts[i]);
    *take_change = (SilenceChange){.count = 0};
}

static void put(SilenceChange *change, Silence *take_silence, int64_t now_ms) {
    take_silence->updated_ms = now_ms;
    change->puts[change->count++] = take_silence;
}

static Silence *expired_copy(const Silence *silence, int64_t now_ms) {
    Silence *copy = silence_copy(silence);
    if (copy->starts_ms > now_ms) copy->starts_ms = now_ms;
    copy->ends_ms = now_ms;
    return copy;
}

/* Is the posted one the same silence still? Its start is compared in seconds: clients cut it. */
static bool is_update(const Silence *old, const Silence *posted, int64_t now_ms) {
    if (!matchers_equal(old->matchers, posted->matchers)) return false;
    switch (silence_state(old, now_ms)) {
    case SILENCE_PENDING: return posted->starts_ms >= now_ms;
    case SILENCE_ACTIVE: return posted->starts_ms / 1000 == old->starts_ms / 1000 && posted->ends_ms > now_ms;
    case SILENCE_EXPIRED: return false;
    }
    return false;
}

static void plan_update(const Silence *old, const Silence *posted, int64_t now_ms, SilenceChange *change) {
    Silence *updated = silence_copy(posted);
    if (silence_state(old, now_ms) == SILENCE_ACTIVE) updated->starts_ms = old->starts_ms;
    put(change, updated, now_ms);
}

static void plan_new(const Silence *old, const Silence *posted, int64_t now_ms, SilenceChange *change) {
    Silence *made = silence_copy(posted);
    char id[UUID_TEXT];
    free(made->id);
    made->id = text_copy(uuid_make(id));
    if (made->starts_ms < now_ms) made->starts_ms = now_ms;
    put(change, made, now_ms);
    if (old && silence_state(old, now_ms) != SILENCE_EXPIRED) put(change, expired_copy(old, now_ms), now_ms);
}

bool silences_plan_post(
    const Silences *all, const Silence *posted, int64_t now_ms, SilenceChange *ret_change, Error *err) {
    const Silence *old = *posted->id ? silences_find(all, posted->id) : NULL;
    SilenceChange change = {.count = 0};
    if (*posted->id && !old)
        return error_set(err, ERROR_INPUT, "there is no silence `%s`; without `id` it becomes a new one", posted->id);
    if (old && is_update(old, posted, now_ms)) {
        plan_update(old, posted, now_ms, &change);
    } else if (all->count >= SILENCES_MAX) {
        return error_set(err, ERROR_LOCAL, "there are %d silences already: no room for one more", SILENCES_MAX);
    } else {
        plan_new(old, posted, now_ms, &change);
    }
    *ret_change = change;
    return true;
}

bool silences_plan_expire(const Silences *all, const char *id, int64_t now_ms, SilenceChange *ret_change, Error *err) {
    const Silence *old = silences_find(all, id);
    if (!old) return error_set(err, ERROR_INPUT, "there is no silence `%.*s`", SILENCE_ID_MAX, id);
    if (silence_state(old, now_ms) == SILENCE_EXPIRED)
        return error_set(err, ERROR_INPUT, "the silence `%s` has expired already", id);
    *ret_change = (SilenceChange){.count = 0};
    put(ret_change, expired_copy(old, now_ms), now_ms);
    return true;
}

/* --- questions --- */

size_t silences_mute(const Silences *all, const Labels *labels, int64_t now_ms, const char **ret_ids, size_t room,
    unsigned *add_limits) {
    size_t found = 0;
    for (size_t i = 0; i < all->count && found < room; i++) {
        const Silence *silence = all->list[i];
        if (silence_state(silence, now_ms) != SILENCE_ACTIVE) continue;
        if (matchers_match(silence->matchers, labels, add_limits)) ret_ids[found++] = silence->id;
    }
    return found;
}

int64_t silences_next_ms(const Silences *all, int64_t now_ms) {
    int64_t next_ms = INT64_MAX;
    for (size_t i = 0; i < all->count; i++) {
        const int64_t edges[] = {all->list[i]->starts_ms, all->list[i]->ends_ms};
        for (size_t j = 0; j < COUNT_OF(edges); j++)
            if (edges[j] > now_ms && edges[j] < next_ms) next_ms = edges[j];
    }
    return next_ms;
}

const Silence *silences_stale(const Silences *all, int64_t now_ms) {
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i]->ends_ms <= now_ms - keep_ms) return all->list[i];
    return NULL;
}

const Silence *silences_keep_active(Silences *all, int64_t before_ms, int64_t now_ms) {
    for (size_t i = 0; i < all->count; i++) {
        Silence *silence = all->list[i];
        if (silence_state(silence, before_ms) != SILENCE_ACTIVE || silence_state(silence, now_ms) != SILENCE_PENDING)
            continue;
        silence->starts_ms = now_ms;
        return silence;
    }
    return NULL;
}
