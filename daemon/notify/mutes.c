/* daemon/notify/mutes.c: why an alert is held back */
#include "notify/mutes.h"

#include "base/alloc.h"
#include "base/table.h"
#include "sources/xray_callers.h"

#include <stdlib.h>
#include <string.h>

/* A firing alert with suppress_callers, and whom it holds by the graph that was looked at last. */
typedef struct Callee {
    char fingerprint[FINGERPRINT_TEXT];
    Labels *labels;
    int64_t firing_since_ms;
    const ServiceGraph *graph; /* never followed: it may be gone */
    int64_t graph_end_s;
    size_t graph_nodes;
    bool *calls; /* one a node of it */
    UT_hash_handle hh;
} Callee;

struct Mutes {
    Inhibit *inhibit; /* NULL: no rules yet */
    Silences *silences;
    Callee *callees;
    MutesGraph *graph; /* NULL: nobody knows one */
    void *graph_ctx;
};

Mutes *mutes_new(void) {
    Mutes *mutes = alloc_zeroed(1, sizeof *mutes);
    mutes->silences = silences_new();
    return mutes;
}

static void callee_remove(Mutes *mutes, const char *fingerprint) {
    Callee *callee;
    HASH_FIND_STR(mutes->callees, fingerprint, callee);
    if (!callee) return;
    HASH_DEL(mutes->callees, callee);
    labels_free(callee->labels);
    free(callee->calls);
    free(callee);
}

static void callee_follow(Mutes *mutes, const Instance *instance) {
    callee_remove(mutes, instance->fingerprint);
    if (!instance_is_firing(instance) || !instance->alarm || !instance->alarm->suppress_callers) return;
    Callee *callee = alloc_zeroed(1, sizeof *callee);
    memcpy(callee->fingerprint, instance->fingerprint, FINGERPRINT_TEXT);
    callee->labels = labels_ref(instance->labels);
    callee->firing_since_ms = instance->firing_since_ms;
    HASH_ADD_STR(mutes->callees, fingerprint, callee);
}

void mutes_set_graph(Mutes *mutes, MutesGraph *find, void *ctx) {
    mutes->graph = find;
    mutes->graph_ctx = ctx;
}

Mutes *mutes_free(Mutes *mutes) {
    if (!mutes) return NULL;
    while (mutes->callees) callee_remove(mutes, mutes->callees->fingerprint);
    inhibit_free(mutes->inhibit);
    silences_free(mutes->silences);
    free(mutes);
    return NULL;
}

void mutes_follow_rules(
    Mutes *mutes, const InhibitSection *rules, const Instance *const *instances, size_t instance_count) {
    inhibit_free(mutes->inhibit);
    mutes->inhibit = inhibit_new(rules->rules, rules->count);
    while (mutes->callees) callee_remove(mutes, mutes->callees->fingerprint);
    for (size_t i = 0; i < instance_count; i++) mutes_follow(mutes, instances[i]);
}

void mutes_follow(Mutes *mutes, const Instance *instance) {
    callee_follow(mutes, instance);
    if (!mutes->inhibit) return;
    if (instance_is_firing(instance))
        inhibit_add(mutes->inhibit, instance->fingerprint, instance->labels);
    else
        inhibit_remove(mutes->inhibit, instance->fingerprint);
}

void mutes_forget(Mutes *mutes, const char *fingerprint) {
    callee_remove(mutes, fingerprint);
    if (mutes->inhibit) inhibit_remove(mutes->inhibit, fingerprint);
}

Silences *mutes_silences(const Mutes *mutes) { return mutes->silences; }

bool mutes_hold(const Mutes *mutes, const Labels *labels, int64_t now_ms) {
    const char *first;
    return silences_mute(mutes->silences, labels, now_ms, &first, 1, NULL) > 0 ||
        mutes_inhibitors(mutes, labels, now_ms, &first, 1) > 0;
}

static const ServiceGraph *graph_of(const Mutes *mutes, const Labels *labels) {
    return mutes->graph ? mutes->graph(mutes->graph_ctx, labels_get(labels, "account"), labels_get(labels, "region"),
                              labels_get(labels, "xray_group"))
                        : NULL;
}

/* Whom it holds is worked out once a graph. */
static void look_at_graph(Callee *callee, const ServiceGraph *graph) {
    const size_t nodes = service_graph_node_count(graph);
    if (callee->graph == graph && callee->graph_end_s == service_graph_end_s(graph) && callee->graph_nodes == nodes)
        return;
    callee->graph_nodes = nodes;
    callee->graph = graph;
    callee->graph_end_s = service_graph_end_s(graph);
    free(callee->calls);
    callee->calls = alloc_zeroed(nodes + 1, sizeof *callee->calls);
    graph_callers(
        graph, labels_get(callee->labels, "service"), labels_get(callee->labels, "service_type"), callee->calls);
}

static bool same_label(const Labels *a, const Labels *b, const char *name) {
    return !strcmp(labels_get(a, name), labels_get(b, name));
}

static bool holds_caller(const Mutes *mutes, Callee *callee, const Labels *labels, int64_t now_ms) {
    const int64_t fires_ms = now_ms - callee->firing_since_ms;
    if (fires_ms < 0) return false; /* our clock was set back: rather told than late */
    if (fires_ms >= MUTES_CALLERS_MS) return false;
    if (!same_label(callee->labels, labels, "account") || !same_label(callee->labels, labels, "region") ||
        !same_label(callee->labels, labels, "xray_group"))
        return false;
    const ServiceGraph *graph = graph_of(mutes, callee->labels);
    if (!graph) return false;
    look_at_graph(callee, graph);
    return graph_is_marked(graph, callee->calls, labels_get(labels, "service"), labels_get(labels, "service_type"));
}

/* An alert on a service of the graph that may be held for the sake of one that it calls. */
static bool may_be_caller(const Labels *labels) {
    return !strcmp(labels_get(labels, "source"), "xray") && *labels_get(labels, "service") &&
        strcmp(labels_get(labels, "severity"), "critical") != 0;
}

size_t mutes_inhibitors(
    const Mutes *mutes, const Labels *labels, int64_t now_ms, const char **ret_fingerprints, size_t room) {
    size_t count = mutes->inhibit ? inhibit_find(mutes->inhibit, labels, ret_fingerprints, room) : 0;
    if (!mutes->callees || !may_be_caller(labels)) return count;
    for (Callee *callee = mutes->callees; callee && count < room; callee = callee->hh.next)
        if (holds_caller(mutes, callee, labels, now_ms)) ret_fingerprints[count++] = callee->fingerprint;
    return count;
}
