/* daemon/alarms/instance.c: the table of instances, their names and labels */
#include "alarms/instance.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/intern.h"
#include "base/table.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Slot {
    Instance instance; /* first: an Instance * is its slot's address */
    UT_hash_handle hh;
} Slot;

struct Instances {
    Slot *slots;
};

Instances *instances_new(void) { return alloc_zeroed(1, sizeof(Instances)); }

void instance_facts_deinit(InstanceFacts *facts) {
    free(facts->reason);
    labels_free(facts->notes);
    free(facts->console_url);
    intern_drop(facts->what);
    *facts = (InstanceFacts){.value = NAN, .threshold = NAN, .worst = NAN};
}

void instance_facts_name(InstanceFacts *facts, const char *what) {
    const char *before = facts->what;
    facts->what = intern(what);
    intern_drop(before);
}

void instance_facts_copy(InstanceFacts *into, const InstanceFacts *from) {
    InstanceFacts copy = *from;
    copy.reason = text_copy(from->reason ? from->reason : "");
    copy.notes = from->notes ? labels_ref(from->notes) : NULL;
    copy.console_url = from->console_url ? text_copy(from->console_url) : NULL;
    copy.what = intern(from->what);
    instance_facts_deinit(into);
    *into = copy;
}

static void slot_free(Slot *slot) {
    Instance *instance = &slot->instance;
    intern_drop(instance->name);
    intern_drop(instance->source);
    intern_drop(instance->account);
    intern_drop(instance->region);
    labels_free(instance->series);
    labels_free(instance->labels);
    labels_free(instance->annotations);
    instance_facts_deinit(&instance->facts);
    hold_deinit(&instance->hold);
    free(instance->evaluation_error);
    free(instance->datapoints.values);
    free(slot);
}

void instance_remove(Instances *table, Instance *instance) {
    Slot *slot = (Slot *)instance;
    HASH_DEL(table->slots, slot);
    slot_free(slot);
}

Instances *instances_free(Instances *table) {
    if (!table) return NULL;
    Slot *slot, *next;
    HASH_ITER(hh, table->slots, slot, next) instance_remove(table, &slot->instance);
    free(table);
    return NULL;
}

static void add_part(Buffer *key, const char *part) {
    /* Lengths before the bytes: no two different keys give the same run of bytes. */
    char head[WHOLE_TEXT_MAX];
    const size_t length = strlen(part);
    buffer_text(key, whole_format(length, head));
    buffer_add(key, ":", 1);
    buffer_add(key, part, length);
    buffer_add(key, ",", 1);
}

void fingerprint_make(const char *alarm, const char *account, const char *region, const char *source,
    const Labels *series, char ret_text[static FINGERPRINT_TEXT]) {
    Buffer key = BUFFER((size_t)1 << 20);
    add_part(&key, alarm);
    add_part(&key, account);
    add_part(&key, region);
    add_part(&key, source);
    for (size_t i = 0; i < labels_count(series); i++) {
        const Label label = labels_at(series, i);
        add_part(&key, label.name);
        add_part(&key, label.value);
    }
    uint8_t digest[SHA256_BYTES];
    sha256(buffer_string(&key), key.used, digest);
    hex_format(digest, (FINGERPRINT_TEXT - 1) / 2, ret_text);
    buffer_deinit(&key);
}

Instance *instance_find(Instances *table, const char *fingerprint) {
    Slot *slot;
    HASH_FIND_STR(table->slots, fingerprint, slot);
    return slot ? &slot->instance : NULL;
}

Instance *instance_add(Instances *table, const char *fingerprint, const char *alarm, const char *account,
    const char *region, const char *source, const Labels *series, int64_t now_ms) {
    Slot *slot = alloc_zeroed(1, sizeof *slot);
    Instance *made = &slot->instance;
    memcpy(made->fingerprint, fingerprint, sizeof made->fingerprint);
    made->name = intern(alarm);
    made->source = intern(source);
    made->account = intern(account);
    made->region = intern(region);
    made->series = labels_merge(series, NULL);
    made->labels = labels_ref(made->series);
    made->severity = SEVERITY_WARNING;
    made->memory.state = made->hold.judged = STATE_INSUFFICIENT_DATA;
    made->since_ms = now_ms;
    made->durable = true;
    made->facts = (InstanceFacts){.value = NAN, .threshold = NAN, .worst = NAN};
    made->facts.reason = text_copy("Unchecked: Initial alarm creation");
    HASH_ADD_STR(table->slots, instance.fingerprint, slot);
    return made;
}

Instance *instance_get(Instances *table, const char *alarm, const char *account, const char *region, const char *source,
    const Labels *series, int64_t now_ms) {
    char fingerprint[FINGERPRINT_TEXT];
    fingerprint_make(alarm, account, region, source, series, fingerprint);
    Instance *found = instance_find(table, fingerprint);
    return found ? found : instance_add(table, fingerprint, alarm, account, region, source, series, now_ms);
}

size_t instances_count(const Instances *table) { return HASH_COUNT(table->slots); }

Instance *instances_next(Instances *table, const Instance *after) {
    Slot *slot = after ? ((const Slot *)after)->hh.next : table->slots;
    return slot ? &slot->instance : NULL;
}

static int by_name(const void *a, const void *b) {
    const Instance *left = *(Instance *const *)a, *right = *(Instance *const *)b;
    const int order = strcmp(left->name, right->name);
    return order ? order : strcmp(left->fingerprint, right->fingerprint);
}

Instance **instances_sorted(Instances *table, size_t *ret_count) {
    const size_t count = instances_count(table);
    Instance **all = alloc_zeroed(count + 1, sizeof *all);
    size_t used = 0;
    for (Instance *i = instances_next(table, NULL); i; i = instances_next(table, i)) all[used++] = i;
    qsort(all, count, sizeof *all, by_name);
    *ret_count = count;
    return all;
}

/* --- labels --- */

/* Prometheus' alphabet: what else stands in a name becomes `_` (contract 3). */
static void label_name(const char *from, char into[static LABEL_NAME_MAX + 8], const char *prefix) {
    size_t used = 0;
    for (const char *p = prefix; *p && used < LABEL_NAME_MAX; p++) into[used++] = *p;
    for (const char *p = from; *p && used < LABEL_NAME_MAX; p++) {
        const bool plain =
            (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '_';
        if (((unsigned char)*p & 0xc0) == 0x80) continue; /* one `_` a character, not a byte */
        into[used++] = plain ? *p : '_';
    }
    into[used] = 0;
}

typedef struct NamedLabel {
    char name[LABEL_NAME_MAX + 8];
    const char *value;
} NamedLabel;

static bool is_taken(const Label *pairs, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(pairs[i].name, name)) return true;
    return false;
}

/* `pairs` holds `fixed` labels and has room for the series' own behind them. */
static Labels *labels_with_series(Label *pairs, size_t fixed, const Labels *series) {
    const size_t own = labels_count(series);
    NamedLabel *names = alloc_zeroed(own + 1, sizeof *names);
    size_t used = fixed;
    for (size_t i = 0; i < own; i++) {
        const Label label = labels_at(series, i);
        label_name(label.name, names[i].name, "");
        if (is_taken(pairs, fixed, names[i].name)) label_name(label.name, names[i].name, "dim_");
        pairs[used++] = (Label){names[i].name, label.value};
    }
    Labels *made = labels_new(pairs, used);
    free(names);
    return made;
}

static Labels *annotations_of(const Alarm *alarm) {
    Label *pairs = alloc_zeroed(alarm->annotations.count + 1, sizeof *pairs);
    size_t used = 0;
    if (*alarm->description) pairs[used++] = (Label){"description", alarm->description};
    for (size_t i = 0; i < alarm->annotations.count; i++)
        pairs[used++] = (Label){alarm->annotations.names[i], alarm->annotations.texts[i]};
    Labels *made = used ? labels_new(pairs, used) : NULL;
    free(pairs);
    return made;
}

void instance_attach(Instance *instance, const Alarm *alarm, const char *account_id) {
    enum { FIXED = 6 };
    Label *pairs = alloc_zeroed(FIXED + alarm->labels.count + labels_count(instance->series) + 1, sizeof *pairs);
    size_t used = 0;
    /* The alarm's own labels first: of two with one name the later wins, so none can hide what names the alarm. */
    for (size_t i = 0; i < alarm->labels.count; i++)
        pairs[used++] = (Label){alarm->labels.names[i], alarm->labels.texts[i]};
    pairs[used++] = (Label){"alertname", alarm->name};
    pairs[used++] = (Label){"severity", severity_word((Severity)alarm->severity)};
    pairs[used++] = (Label){"source", instance->source};
    pairs[used++] = (Label){"account", instance->account};
    pairs[used++] = (Label){"region", instance->region};
    if (account_id && *account_id) pairs[used++] = (Label){"account_id", account_id};
    labels_free(instance->labels);
    instance->labels = labels_with_series(pairs, used, instance->series);
    free(pairs);
    labels_free(instance->annotations);
    instance->annotations = annotations_of(alarm);
    instance->alarm = alarm;
    if (alarm->source && !alarm->source->has_events) { /* instance_link() makes it */
        free(instance->facts.console_url);
        instance->facts.console_url = NULL;
    }
    instance->severity = (Severity)alarm->severity;
    instance->no_data = (NoData)alarm->no_data;
    instance->gone = false;
    instance->facts.threshold = alarm_has_threshold(alarm) ? alarm->rule.threshold : NAN;
}

void instance_attach_own(Instance *instance, Severity severity, const char *summary) {
    Label *pairs = alloc_zeroed(4 + labels_count(instance->series), sizeof *pairs);
    pairs[0] = (Label){"alertname", instance->name};
    pairs[1] = (Label){"severity", severity_word(severity)};
    pairs[2] = (Label){"source", SOURCE_TOCSIN};
    labels_free(instance->labels);
    instance->labels = labels_with_series(pairs, 3, instance->series);
    free(pairs);
    labels_free(instance->annotations);
    instance->annotations = labels_new(&(Label){"description", summary}, 1);
    instance->severity = severity;
}
