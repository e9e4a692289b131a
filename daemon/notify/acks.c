/* daemon/notify/acks.c: acknowledgements, read and kept */
#include "notify/acks.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/table.h"
#include "base/timetext.h"

#include <stdlib.h>
#include <string.h>

typedef struct Kept {
    Ack *ack;
    char fingerprint[FINGERPRINT_TEXT];
    UT_hash_handle hh;
} Kept;

struct Acks {
    Kept *table;
};

/* --- one --- */

static bool read_text(const json_t *object, const char *key, size_t max, bool may_be_absent, char **ret, Error *err) {
    const json_t *value = json_object_get(object, key);
    if (may_be_absent && (!value || json_is_null(value))) return *ret = text_copy(""), true;
    const char *text = json_string_value(value);
    if (!text || (!*text && !may_be_absent)) return error_set(err, ERROR_INPUT, "`%s` must be a text", key);
    if (strlen(text) > max) return error_set(err, ERROR_INPUT, "`%s` has more than %zu bytes", key, max);
    *ret = text_copy(text);
    return true;
}

static bool read_until(const json_t *object, int64_t now_ms, int64_t *ret_ms, Error *err) {
    const json_t *value = json_object_get(object, "until");
    if (!value || json_is_null(value)) return true;
    const char *text = json_string_value(value);
    if (!text || !time_parse(text, ret_ms))
        return error_set(err, ERROR_INPUT, "`until` must be a time such as 2026-01-02T15:04:05Z, or null");
    return *ret_ms > now_ms || error_set(err, ERROR_INPUT, "`until` is in the past: %.40s", text);
}

Ack *ack_read(const json_t *object, const Instance *instance, int64_t now_ms, Error *err) {
    OWN(ack) Ack *ack = alloc_zeroed(1, sizeof *ack);
    memcpy(ack->fingerprint, instance->fingerprint, FINGERPRINT_TEXT);
    ack->starts_ms = instance->firing_since_ms;
    ack->at_ms = now_ms;
    if (!read_text(object, "by", ACK_BY_MAX, false, &ack->by, err) ||
        !read_text(object, "comment", ACK_COMMENT_MAX, true, &ack->comment, err) ||
        !read_until(object, now_ms, &ack->until_ms, err))
        return NULL;
    return GIVE(ack);
}

Ack *ack_free(Ack *ack) {
    if (!ack) return NULL;
    free(ack->by);
    free(ack->comment);
    free(ack);
    return NULL;
}

AckRow ack_row(const Ack *ack) {
    return (AckRow){ack->fingerprint, ack->by, ack->comment, ack->starts_ms, ack->at_ms, ack->until_ms};
}

Ack *ack_restore(const AckRow *row) {
    if (strlen(row->fingerprint) != FINGERPRINT_TEXT - 1) return NULL;
    Ack *ack = alloc_zeroed(1, sizeof *ack);
    memcpy(ack->fingerprint, row->fingerprint, FINGERPRINT_TEXT);
    ack->by = text_copy(row->by);
    ack->comment = text_copy(row->comment ? row->comment : "");
    ack->starts_ms = row->starts_ms;
    ack->at_ms = row->at_ms;
    ack->until_ms = row->until_ms;
    return ack;
}

json_t *ack_json(const Ack *ack) {
    return json_pack("{s:o, s:o, s:o, s:o}", "by", json_safe(ack->by), "comment", json_safe(ack->comment), "at",
        json_time(ack->at_ms), "until", json_time(ack->until_ms));
}

/* --- all --- */

Acks *acks_new(void) { return alloc_zeroed(1, sizeof(Acks)); }

static Kept *kept_find(const Acks *acks, const char *fingerprint) {
    Kept *kept = NULL;
    HASH_FIND_STR(acks->table, fingerprint, kept);
    return kept;
}

void acks_remove(Acks *acks, const char *fingerprint) {
    Kept *kept = kept_find(acks, fingerprint);
    if (!kept) return;
    HASH_DEL(acks->table, kept);
    ack_free(kept->ack);
    free(kept);
}

Acks *acks_free(Acks *acks) {
    if (!acks) return NULL;
    while (acks->table) acks_remove(acks, acks->table->fingerprint);
    free(acks);
    return NULL;
}

void acks_put(Acks *acks, Ack *take_ack) {
    acks_remove(acks, take_ack->fingerprint);
    Kept *kept = alloc_zeroed(1, sizeof *kept);
    kept->ack = take_ack;
    memcpy(kept->fingerprint, take_ack->fingerprint, FINGERPRINT_TEXT);
    HASH_ADD_STR(acks->table, fingerprint, kept);
}

static bool speaks_of(const Ack *ack, const Instance *instance, int64_t now_ms) {
    return instance_is_firing(instance) && instance->firing_since_ms == ack->starts_ms &&
        (!ack->until_ms || now_ms < ack->until_ms);
}

const Ack *acks_find(const Acks *acks, const Instance *instance, int64_t now_ms) {
    const Kept *kept = kept_find(acks, instance->fingerprint);
    return kept && speaks_of(kept->ack, instance, now_ms) ? kept->ack : NULL;
}

size_t acks_stale(const Acks *acks, Instance *(*find)(void *ctx, const char *fingerprint), void *ctx, int64_t now_ms,
    const char **ret_fingerprints, size_t room) {
    size_t count = 0;
    for (const Kept *kept = acks->table; kept && count < room; kept = kept->hh.next) {
        const Instance *instance = find(ctx, kept->fingerprint);
        if (!instance || !speaks_of(kept->ack, instance, now_ms)) ret_fingerprints[count++] = kept->fingerprint;
    }
    return count;
}
