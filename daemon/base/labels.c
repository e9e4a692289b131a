#include "base/labels.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct Labels {
    size_t references, count;
    Label pairs[]; /* their texts stand behind the last */
};

typedef struct Pair {
    Label label;
    size_t name_length, value_length, index;
} Pair;

static int by_name(const void *a, const void *b) {
    const Pair *x = a, *y = b;
    const size_t shorter = x->name_length < y->name_length ? x->name_length : y->name_length;
    const int order = memcmp(x->label.name, y->label.name, shorter);
    if (order) return order;
    if (x->name_length != y->name_length) return x->name_length < y->name_length ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

static bool same_name(const Pair *a, const Pair *b) {
    return a->name_length == b->name_length && !memcmp(a->label.name, b->label.name, a->name_length);
}

/* Sorts, keeps the last of each name, leaves out what is empty; returns how many stay. */
static size_t settle_pairs(Pair *pairs, size_t count, size_t *ret_text_bytes) {
    size_t kept = 0;
    *ret_text_bytes = 0;
    qsort(pairs, count, sizeof *pairs, by_name);
    for (size_t i = 0; i < count; i++) {
        const bool later_one = i + 1 < count && same_name(&pairs[i], &pairs[i + 1]);
        if (later_one || !pairs[i].value_length || !pairs[i].name_length) continue;
        *ret_text_bytes += pairs[i].name_length + pairs[i].value_length + 2;
        pairs[kept++] = pairs[i];
    }
    return kept;
}

static const char *put(char **at, const char *text, size_t length) {
    char *start = *at;
    memcpy(start, text, length); /* the zero byte behind is there already */
    *at += length + 1;
    return start;
}

Labels *labels_new(const Label *pairs, size_t count) {
    Pair *sorted = alloc_zeroed(count, sizeof *sorted);
    for (size_t i = 0; i < count; i++) {
        const Label label = {pairs[i].name ? pairs[i].name : "", pairs[i].value ? pairs[i].value : ""};
        sorted[i] = (Pair){label, utf8_cut(label.name, strlen(label.name), LABEL_NAME_MAX),
            utf8_cut(label.value, strlen(label.value), LABEL_VALUE_MAX), i};
    }
    size_t text_bytes;
    const size_t kept = settle_pairs(sorted, count, &text_bytes);
    Labels *labels = alloc_zeroed(1, sizeof *labels + kept * sizeof *labels->pairs + text_bytes);
    labels->references = 1;
    labels->count = kept;
    char *at = (char *)&labels->pairs[kept];
    for (size_t i = 0; i < kept; i++) {
        labels->pairs[i].name = put(&at, sorted[i].label.name, sorted[i].name_length);
        labels->pairs[i].value = put(&at, sorted[i].label.value, sorted[i].value_length);
    }
    free(sorted);
    return labels;
}

bool label_name_ok(const char *name) {
    static const char *const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    const size_t length = strnlen(name, LABEL_NAME_MAX + 1);
    return length && length <= LABEL_NAME_MAX && strspn(name, letters) == length && (*name < '0' || *name > '9');
}

Labels *labels_ref(Labels *labels) {
    if (labels) labels->references++;
    return labels;
}

Labels *labels_free(Labels *labels) {
    if (labels && --labels->references == 0) free(labels);
    return NULL;
}

Labels *labels_merge(const Labels *base, const Labels *over) {
    const size_t first = labels_count(base), second = labels_count(over);
    Label *all = alloc_zeroed(first + second, sizeof *all);
    for (size_t i = 0; i < first; i++) all[i] = base->pairs[i];
    for (size_t i = 0; i < second; i++) all[first + i] = over->pairs[i];
    Labels *merged = labels_new(all, first + second);
    free(all);
    return merged;
}

size_t labels_count(const Labels *labels) { return labels ? labels->count : 0; }

Label labels_at(const Labels *labels, size_t index) { return labels->pairs[index]; }

const char *labels_get(const Labels *labels, const char *name) {
    size_t low = 0, high = labels_count(labels);
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(labels->pairs[middle].name, name);
        if (order == 0) return labels->pairs[middle].value;
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return "";
}

bool labels_equal(const Labels *a, const Labels *b) {
    if (labels_count(a) != labels_count(b)) return false;
    for (size_t i = 0; i < labels_count(a); i++) {
        if (strcmp(a->pairs[i].name, b->pairs[i].name) != 0) return false;
        if (strcmp(a->pairs[i].value, b->pairs[i].value) != 0) return false;
    }
    return true;
}

json_t *labels_json(const Labels *labels) {
    json_t *object = json_object();
    for (size_t i = 0; i < labels_count(labels); i++) {
        json_object_set_new(object, labels->pairs[i].name, json_safe(labels->pairs[i].value));
    }
    return object;
}

/* Their texts into `texts`, each with a zero byte behind; how many pairs that are. */
static size_t pull_pairs(JsonPull *in, Buffer *texts) {
    size_t count = 0;
    for (JsonText name, value; json_pull_key(in, &name);) {
        const size_t begin = texts->used;
        buffer_add(texts, name.bytes, name.length);
        buffer_add(texts, "", 1);
        if (json_pull_text(in, &value)) {
            buffer_add(texts, value.bytes, value.length);
            buffer_add(texts, "", 1);
            count++;
        } else {
            texts->used = begin;
            json_pull_skip(in);
        }
    }
    return count;
}

Labels *labels_pull(JsonPull *in) {
    if (!json_pull_open(in, '{')) return NULL;
    OWN(buffer) Buffer texts = BUFFER(SIZE_MAX / 4);
    const size_t count = pull_pairs(in, &texts);
    Label *pairs = alloc_zeroed(count, sizeof *pairs);
    const char *at = buffer_string(&texts);
    for (size_t i = 0; i < count; i++) {
        pairs[i].name = at;
        pairs[i].value = at += strlen(at) + 1;
        at += strlen(at) + 1;
    }
    Labels *labels = labels_new(pairs, count);
    free(pairs);
    return labels;
}

Labels *labels_read(const char *json) {
    if (!json) return labels_new(NULL, 0);
    JsonPull in;
    json_pull_init(&in, json, strlen(json), NULL);
    Labels *labels = labels_pull(&in);
    json_pull_deinit(&in);
    return labels ? labels : labels_new(NULL, 0);
}
