#include "webhook/progress.h"

#include "base/alloc.h"
#include "base/own.h"

#include <stdlib.h>
#include <string.h>

static void forget(struct Stopped *stopped) {
    free(stopped->id);
    free(stopped->is_taken);
    *stopped = (struct Stopped){0};
}

void progress_deinit(Progress *progress) {
    for (size_t i = 0; i < PROGRESS_MAX; i++) forget(&progress->list[i]);
}

bool *progress_take(Progress *progress, const char *id, size_t count) {
    for (size_t i = 0; i < PROGRESS_MAX; i++) {
        struct Stopped *stopped = &progress->list[i];
        if (!stopped->id || strcmp(stopped->id, id) != 0) continue;
        bool *is_taken = GIVE(stopped->is_taken);
        forget(stopped);
        return is_taken;
    }
    return alloc_zeroed(count + 1, sizeof(bool));
}

void progress_keep(Progress *progress, const char *id, bool *take_taken) {
    struct Stopped *stopped = &progress->list[progress->next++ % PROGRESS_MAX];
    forget(stopped);
    *stopped = (struct Stopped){text_copy(id), take_taken};
}
