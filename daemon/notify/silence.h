/* A silence: alerts that all its matchers match are not told of from its start to its end; they are evaluated and shown
 * all the same. An object of Alertmanager's API v2, immutable: a change makes another (silences.h).
 * Source: Alertmanager's API v2, postableSilence and gettableSilence. */
#ifndef TOCSIN_NOTIFY_SILENCE_H
#define TOCSIN_NOTIFY_SILENCE_H

#include "base/arena.h"
#include "base/error.h"
#include "rules/matcher.h"
#include "store/rows.h"

#include <stdint.h>

enum {
    SILENCE_COMMENT_MAX = 1024, /* bytes */
    SILENCE_AUTHOR_MAX = 255,
    SILENCE_ID_MAX = 64
};

typedef enum { SILENCE_PENDING, SILENCE_ACTIVE, SILENCE_EXPIRED } SilenceState;

typedef struct Silence {
    char *id; /* "" while it has none */
    Matchers *matchers; /* 1 to MATCHERS_MAX, at least one of which does not match the empty text */
    int64_t starts_ms, ends_ms, updated_ms; /* starts_ms <= ends_ms; they are equal where it was expired too early */
    char *created_by, *comment;
} Silence;

/* What a person posted: `matchers`, `endsAt`, `createdBy`, `comment`; `startsAt` is `now_ms` and `id` none where
 * absent; other members are ignored. NULL: ERROR_INPUT, which says what would be right: a wrong form or a bound, an end
 * that is not after the start or in the past, matchers that are none or all match the empty text. Caller frees. */
Silence *silence_read(const json_t *object, int64_t now_ms, Error *err);
Silence *silence_copy(const Silence *silence);
Silence *silence_free(Silence *silence); /* NULL is fine; returns NULL */
OWN_DEFINE(Silence, silence)

/* From its start on, up to its end without that. */
SilenceState silence_state(const Silence *silence, int64_t now_ms);
const char *silence_state_word(SilenceState state); /* pending active expired */
/* Alertmanager's object: `id, status: {state}, matchers, startsAt, endsAt, updatedAt, createdBy, comment`. New
 * reference. */
json_t *silence_json(const Silence *silence, int64_t now_ms);

SilenceRow silence_row(const Silence *silence, Arena *arena); /* its texts are in the arena */
/* NULL: ERROR_INPUT, the row cannot be read, or its id and times are not those of its JSON. Caller frees. */
Silence *silence_restore(const SilenceRow *row, Error *err);

#endif
