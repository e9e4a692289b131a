/* daemon/notify/route.c: the `route` section */
#include "notify/route.h"

#include "base/alloc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define EVERY_LABEL "..."
#define LABEL_REMEDY "letters, digits and `_`, not beginning with a digit; or ['...'] for every label"

static bool is_label_name(const char *text) {
    if (!isalpha((unsigned char)*text) && *text != '_') return false;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && *text != '_') return false;
    return true;
}

static bool is_among_first(const TextList *list, size_t count, const char *text) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(list->texts[i], text)) return true;
    return false;
}

static bool group_by_check(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    const TextList *names = value;
    bool is_good = true;
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->texts[i];
        const Place at = names->places ? names->places[i] : node->at;
        if (!strcmp(name, EVERY_LABEL)) {
            if (names->count > 1)
                is_good =
                    problem_add(in->problems, at, "it stands alone", "`%s` has `...` beside other labels", row->key);
        } else if (!is_label_name(name)) {
            is_good = problem_add(
                in->problems, at, LABEL_REMEDY, "`%s` has `%.80s`, which is no label's name", row->key, name);
        } else if (is_among_first(names, i, name)) {
            is_good = problem_add(in->problems, at, "name it once", "`%s` has `%.80s` twice", row->key, name);
        }
    }
    return is_good;
}

#define AT(member) offsetof(RouteSection, root.member)
#define DURATION(name, member, least, standard, says) \
    { \
        .key = name, .type = SCHEMA_DURATION, .offset = AT(member), .min = least, .max = ROUTE_LONGEST_S, \
        .fallback = standard, .remedy = "a duration, at least " #least "s and at most 366d", .doc = says \
    }
#define LATER(name, says) \
    { .key = name, .type = SCHEMA_LATER, .doc = says }

const SchemaRow route_rows[] = {
    {.key = "receiver",
        .type = SCHEMA_TEXT,
        .offset = AT(receiver),
        .min = 1,
        .max = 255,
        .remedy = "the name of a receiver",
        .doc = "Who is told. Required where there are receivers."},
    {.key = "group_by",
        .type = SCHEMA_TEXTS,
        .offset = AT(group_by),
        .max = ROUTE_LABELS_MAX,
        .fallback = "[alertname]",
        .check = group_by_check,
        .remedy = "a list of label names, or ['...'] for every label",
        .doc = "Alerts that agree in these labels are told in one message. An empty list makes one group of all."},
    DURATION("group_wait", group_wait_s, 0, "30s",
        "How long the first message of a group waits for others to join. What resolves meanwhile is never told."),
    DURATION("group_interval", group_interval_s, 1, "5m",
        "The beat at which a group that has spoken may speak again: new and resolved alerts wait for it."),
    DURATION("repeat_interval", repeat_interval_s, 1, "4h",
        "After how long what still fires is told again; rounded up to whole group_intervals."),
    LATER("routes", "Child routes."),
    LATER("matchers", "Which alerts a route takes."),
    LATER("continue", "Whether the next route is asked, too."),
    LATER("escalate", "To whom what is not acknowledged goes on."),
    LATER("mute_time_intervals", "When a route is silent."),
    LATER("active_time_intervals", "When alone a route speaks."),
    SCHEMA_END,
};

static bool route_decode(Decoding *in, const Node *node, void *section) {
    RouteSection *routes = section;
    Route *root = &routes->root;
    routes->is_given = !node_is_null(node);
    routes->at = (Place){.file = in->snapshot ? snapshot_file(in->snapshot) : "", .line = 1, .column = 1};
    if (!routes->is_given) return true;
    routes->at = node->kind == NODE_MAP && node->count ? node->entries[0].key->at : node->at;
    if (root->group_by.count == 1 && !strcmp(root->group_by.texts[0], EVERY_LABEL)) {
        root->by_every_label = true;
        root->group_by = (TextList){0};
    }
    const Node *receiver = node_get(node, "receiver");
    root->receiver_at = receiver ? receiver->at : routes->at;
    if (node->kind == NODE_MAP && !receiver) /* not `required` in its row: without the section nothing is missed */
        return problem_add(in->problems, routes->at, "the name of a receiver", "`receiver` is missing");
    return true;
}

const SectionDescriptor route_section = {
    .key = "route",
    .doc = "Which receiver is told, how alerts are grouped, and how often it is told again.",
    .size = sizeof(RouteSection),
    .rows = route_rows,
    .decode = route_decode,
};

const Route *route_resolve(const RouteSection *routes, const Labels *labels) {
    (void)labels; /* one level: the root takes everything */
    return routes->is_given && routes->root.receiver ? &routes->root : NULL;
}

Labels *route_group_labels(const Route *route, const Labels *labels) {
    const size_t count = labels_count(labels);
    Label *chosen = alloc_zeroed(count + 1, sizeof *chosen);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const Label label = labels_at(labels, i);
        if (route->by_every_label || is_among_first(&route->group_by, route->group_by.count, label.name))
            chosen[used++] = label;
    }
    Labels *group = labels_new(chosen, used);
    free(chosen);
    return group;
}
