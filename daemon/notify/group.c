/* daemon/notify/group.c: groups, their members, and what was told */
#include "notify/group.h"

#include "base/alloc.h"
#include "base/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { GROUP_TOLD_BYTES_MAX = 64 << 20 };

static const Metric groups_gauge = {"tocsin_groups", "Groups of alerts that are open or owed.", METRIC_GAUGE, {NULL}};

Group *group_find(const Groups *groups, const char *key) {
    Group *group = NULL;
    HASH_FIND_STR(groups->table, key, group);
    return group;
}

static void count_groups(Groups *groups) {
    metric_set(groups->metrics, &groups_gauge, (double)HASH_COUNT(groups->table), METRIC_VALUES(NULL));
}

Group *group_make(Groups *groups, const char *key, const char *receiver, const char *labels_json) {
    Group *group = group_find(groups, key);
    if (group) return group;
    group = alloc_zeroed(1, sizeof *group);
    group->key = text_copy(key);
    group->receiver = text_copy(receiver);
    group->labels_json = text_copy(labels_json);
    groups->unspoken++;
    HASH_ADD_KEYPTR(hh, groups->table, group->key, strlen(group->key), group);
    count_groups(groups);
    return group;
}

void group_remove(Groups *groups, Group *group) {
    while (group->members) member_remove(groups, group->members);
    due_remove(&groups->due, &group->due);
    HASH_DEL(groups->table, group);
    group_spoke(groups, group, 1); /* not counted any more */
    free(group->labels_json);
    free(group->receiver);
    free(group->key);
    free(group);
    count_groups(groups);
}

Labels *group_labels(const Group *group) { return labels_read(group->labels_json); }

void group_spoke(Groups *groups, Group *group, int64_t first_flush_ms) {
    groups->unspoken += (size_t)!first_flush_ms - (size_t)!group->first_flush_ms;
    group->first_flush_ms = first_flush_ms;
}

void group_set_due(Groups *groups, Group *group, int64_t due_ms) {
    group->due.due_ms = due_ms;
    if (due_ms && !group->is_busy) {
        due_set(&groups->due, &group->due, due_ms);
    } else {
        due_remove(&groups->due, &group->due);
    }
}

void group_hasten(Groups *groups, Group *group, int64_t due_ms) {
    group->is_asked = group->is_busy;
    if (!group->due.due_ms || due_ms < group->due.due_ms) group_set_due(groups, group, due_ms);
}

Member *member_find(const Group *group, const char *fingerprint) {
    Member *member = NULL;
    HASH_FIND_STR(group->members, fingerprint, member);
    return member;
}

static Known *known_find(const Groups *groups, const char *fingerprint) {
    Known *known = NULL;
    HASH_FIND_STR(groups->known, fingerprint, known);
    return known;
}

Member *members_of(const Groups *groups, const char *fingerprint) {
    const Known *known = known_find(groups, fingerprint);
    return known ? known->members : NULL;
}

Member *member_make(Groups *groups, Group *group, const char *fingerprint) {
    Member *member = member_find(group, fingerprint);
    if (member) return member;
    member = alloc_zeroed(1, sizeof *member);
    member->group = group;
    strncpy(member->fingerprint, fingerprint, FINGERPRINT_TEXT - 1);
    HASH_ADD_STR(group->members, fingerprint, member);
    Known *known = known_find(groups, member->fingerprint);
    if (!known) {
        known = alloc_zeroed(1, sizeof *known);
        memcpy(known->fingerprint, member->fingerprint, FINGERPRINT_TEXT);
        HASH_ADD_STR(groups->known, fingerprint, known);
    }
    DL_APPEND(known->members, member);
    return member;
}

void member_remove(Groups *groups, Member *member) {
    Known *known = known_find(groups, member->fingerprint);
    DL_DELETE(known->members, member);
    if (!known->members) {
        HASH_DEL(groups->known, known);
        free(known);
    }
    HASH_DEL(member->group->members, member);
    free(member);
}

/* As text, not by a tree: of a storm's one group that would be ten times as much. */
Buffer told_begin(bool is_counted) {
    Buffer out = BUFFER(GROUP_TOLD_BYTES_MAX);
    buffer_text(&out, is_counted ? "{\"counted\":true" : "{");
    return out;
}

void told_add(Buffer *out, const Member *m) {
    if (!m->is_told) return;
    buffer_format(out, "%s\"%s\":{\"status\":\"firing\",\"starts_at\":%" PRId64, out->used > 1 ? "," : "",
        m->fingerprint, m->told_starts_ms);
    if (m->told_at_ms) buffer_format(out, ",\"at\":%" PRId64, m->told_at_ms);
    if (m->told_news) buffer_format(out, ",\"news\":%" PRId64, m->told_news);
    if (m->told_no_data) buffer_text(out, ",\"data\":\"missing\"");
    if (m->told_flapping) buffer_text(out, ",\"flapping\":true");
    if (m->was_held) buffer_text(out, ",\"held\":true");
    if (m->named_by) buffer_format(out, ",\"named\":%" PRIu32, m->named_by);
    buffer_text(out, "}");
}

char *told_end(Buffer *out) {
    buffer_text(out, "}");
    return buffer_take(out);
}

char *group_told_format(const Group *group) {
    Buffer out = told_begin(group->is_counted);
    for (const Member *m = group->members; m; m = m->hh.next) told_add(&out, m);
    return told_end(&out);
}

typedef enum { TOLD_STARTS_AT, TOLD_AT, TOLD_NEWS, TOLD_DATA, TOLD_FLAPPING, TOLD_HELD, TOLD_NAMED } Told;
static const char *const told_keys[] = {"starts_at", "at", "news", "data", "flapping", "held", "named", NULL};

static bool pull_named(JsonPull *in, uint32_t *ret_named) {
    int64_t value;
    if (!json_pull_whole(in, &value)) return false;
    if (value > 0 && value <= UINT32_MAX) *ret_named = (uint32_t)value;
    return true;
}

/* False: the value is of another type, and still at hand. */
static bool pull_told(JsonPull *in, Told told, Member *member) {
    JsonText data;
    switch (told) {
    case TOLD_STARTS_AT: return json_pull_whole(in, &member->told_starts_ms);
    case TOLD_AT: return json_pull_whole(in, &member->told_at_ms);
    case TOLD_NEWS: return json_pull_whole(in, &member->told_news);
    case TOLD_DATA: member->told_no_data = json_pull_text(in, &data); return member->told_no_data;
    case TOLD_FLAPPING: return json_pull_flag(in, &member->told_flapping);
    case TOLD_HELD: return json_pull_flag(in, &member->was_held);
    case TOLD_NAMED: return pull_named(in, &member->named_by);
    }
    return false;
}

/* False: it is damaged. */
static bool told_entry(JsonText entry, Member *member) {
    JsonPull in;
    uint32_t seen = 0;
    member->is_told = true;
    json_pull_init(&in, entry.bytes, entry.length, NULL);
    if (json_pull_open(&in, '{'))
        for (int key; (key = json_pull_member(&in, told_keys, &seen)) >= 0;)
            if (!pull_told(&in, (Told)key, member)) json_pull_skip(&in);
    const bool is_good = json_pull_end(&in);
    json_pull_deinit(&in);
    return is_good;
}

/* Not by a tree either. An entry counts as a whole, and none that stands behind damage does. */
void group_told_parse(Groups *groups, Group *group, const char *told_json) {
    if (!told_json) return;
    JsonPull in;
    json_pull_init(&in, told_json, strlen(told_json), NULL);
    if (json_pull_open(&in, '{'))
        for (JsonText key, entry; json_pull_key(&in, &key);) {
            char fingerprint[FINGERPRINT_TEXT] = "";
            Member unused = {.is_told = false};
            if (json_text_is(key, "counted") && json_pull_flag(&in, &group->is_counted)) continue;
            if (key.length == FINGERPRINT_TEXT - 1) memcpy(fingerprint, key.bytes, key.length);
            if (json_pull_raw(&in, &entry) && *fingerprint && *entry.bytes == '{' && told_entry(entry, &unused))
                told_entry(entry, member_make(groups, group, fingerprint));
        }
    json_pull_deinit(&in);
}

int64_t beat_before(int64_t first_ms, int64_t interval_ms, int64_t at_ms) {
    const int64_t past = (at_ms - first_ms) % interval_ms;
    return at_ms - (past < 0 ? past + interval_ms : past);
}

int64_t beat_after(int64_t first_ms, int64_t interval_ms, int64_t at_ms) {
    const int64_t before = beat_before(first_ms, interval_ms, at_ms);
    return before == at_ms ? at_ms : before + interval_ms;
}

int64_t group_repeat_ms(const Group *group, const Route *route) {
    const int64_t interval_ms = route->group_interval_s * 1000;
    /* From the beat, not from the moment: a message some milliseconds late would push its repeat by a whole interval.
     */
    const int64_t sent_ms = beat_before(group->first_flush_ms, interval_ms, group->last_sent_ms);
    return beat_after(group->first_flush_ms, interval_ms, sent_ms + route->repeat_interval_s * 1000);
}
