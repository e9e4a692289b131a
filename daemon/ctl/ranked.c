#include "ctl/ranked.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_text(object, key);
    return text ? text : "";
}

static int rank(const json_t *instance) {
    const char *state = text_of(instance, "state");
    return !strcmp(state, "ALARM") ? 0 : !strcmp(state, "OK") ? 2 : 1;
}

static int by_rank(const void *a, const void *b) {
    const json_t *const *x = a, *const *y = b;
    const char *const keys[] = {"service", "edge_to", "insight"};
    if (rank(*x) != rank(*y)) return rank(*x) - rank(*y);
    int order = strcmp(text_of(*x, "name"), text_of(*y, "name"));
    for (size_t i = 0; i < COUNT_OF(keys) && order == 0; i++)
        order = strcmp(text_of(json_map(*x, "labels"), keys[i]), text_of(json_map(*y, "labels"), keys[i]));
    return order ? order : strcmp(text_of(*x, "fingerprint"), text_of(*y, "fingerprint"));
}

const json_t **ranked_new(const json_t *instances) {
    const size_t count = json_array_size(instances);
    const json_t **ranked = alloc_zeroed(count + 1, sizeof *ranked);
    for (size_t i = 0; i < count; i++) ranked[i] = json_array_get(instances, i);
    qsort(ranked, count, sizeof *ranked, by_rank);
    return ranked;
}

char *ranked_series(const json_t *instance) {
    const json_t *labels = json_map(instance, "labels");
    const char *to = text_of(labels, "edge_to"), *insight = text_of(labels, "insight");
    if (strcmp(text_of(instance, "source"), "xray") != 0) return text_copy("");
    if (*insight) return text_copy(insight);
    return text_format("%s%s%s", text_of(labels, "service"), *to ? " → " : "", to);
}

char *ranked_name(const json_t *instance) {
    OWN(text) char *series = ranked_series(instance);
    return text_format("%s%s%s", text_of(instance, "name"), *series ? " " : "", series);
}
