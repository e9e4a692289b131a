#include "webhook/progress.h"

#include "base/alloc.h"
#include "base/own.h"
#include "base/table.h"

#include <stdlib.h>
#include <string.h>

static void forget(Stopped *stopped) {
    free(stopped->id);
    free(stopped->is_taken);
    *stopped = (Stopped){0};
}

void progress_deinit(Progress *progress) {
    for (size_t i = 0; progress->list && i < PROGRESS_MAX; i++) forget(&progress->list[i]);
    free(progress->list);
}

static uint64_t hash_of(char *const *requests, size_t count) {
    uint64_t hash = 0;
    for (size_t i = 0; i < count; i++) {
        const uint64_t both[] = {hash, table_hash(requests[i], strlen(requests[i]))};
        hash = table_hash(both, sizeof both);
    }
    return hash;
}

bool *progress_take(Progress *progress, const char *id, char *const *requests, size_t count) {
    const uint64_t hash = hash_of(requests, count);
    for (size_t i = 0; progress->list && i < PROGRESS_MAX; i++) {
        Stopped *stopped = &progress->list[i];
        if (!stopped->id || stopped->count != count || stopped->hash != hash || strcmp(stopped->id, id) != 0) continue;
        bool *is_taken = GIVE(stopped->is_taken);
        forget(stopped);
        return is_taken;
    }
    return alloc_zeroed(count + 1, sizeof(bool));
}

static Stopped *room(Progress *progress) {
    for (size_t i = 0; i < PROGRESS_MAX; i++) {
        Stopped *next = &progress->list[progress->next++ % PROGRESS_MAX];
        if (!next->id) return next;
    }
    return &progress->list[progress->next++ % PROGRESS_MAX];
}

void progress_keep(Progress *progress, const char *id, char *const *requests, size_t count, bool *take_taken) {
    if (!memchr(take_taken, true, count)) {
        free(take_taken);
        return;
    }
    if (!progress->list) progress->list = alloc_zeroed(PROGRESS_MAX, sizeof *progress->list);
    Stopped *stopped = room(progress);
    forget(stopped);
    *stopped = (Stopped){text_copy(id), hash_of(requests, count), count, take_taken};
}
