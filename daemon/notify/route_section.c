/* daemon/notify/route_section.c: the `route` section, read and checked */
#include "notify/route.h"

#include "base/alloc.h"
#include "notify/interval_section.h"
#include "notify/matcher_list.h"

#include <string.h>

#define EVERY_LABEL "..."
#define LABEL_REMEDY "letters, digits and `_`, not beginning with a digit; or ['...'] for every label"

/* A route as it stands in the file. What is not given is its parent's. */
typedef struct RouteKeys {
    const char *receiver;
    TextList group_by, mute, active;
    int64_t group_wait_s, group_interval_s, repeat_interval_s;
    bool group_by_given, group_wait_given, group_interval_given, repeat_interval_given;
    bool goes_on, escalate_given;
    SectionList escalate;
    const Node *matchers, *routes;
} RouteKeys;

static bool is_among_first(const TextList *list, size_t count, const char *text) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(list->texts[i], text)) return true;
    return false;
}

static Place place_of(const TextList *list, size_t index, const Node *node) {
    return list->places ? list->places[index] : node->at;
}

static bool group_by_check(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    const TextList *names = value;
    bool is_good = true;
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->texts[i];
        const Place at = place_of(names, i, node);
        if (!strcmp(name, EVERY_LABEL)) {
            if (names->count > 1)
                is_good =
                    problem_add(in->problems, at, "it stands alone", "`%s` has `...` beside other labels", row->key);
        } else if (!label_name_ok(name)) {
            is_good = problem_add(
                in->problems, at, LABEL_REMEDY, "`%s` has `%.80s`, which is no label's name", row->key, name);
        } else if (is_among_first(names, i, name)) {
            is_good = problem_add(in->problems, at, "name it once", "`%s` has `%.80s` twice", row->key, name);
        }
    }
    return is_good;
}

typedef struct EscalationKeys {
    int64_t after_s;
    const char *receiver;
} EscalationKeys;

static const SchemaRow escalation_rows[] = {
    {.key = "after",
        .type = SCHEMA_DURATION,
        .offset = offsetof(EscalationKeys, after_s),
        .min = 1,
        .max = ROUTE_LONGEST_S,
        .required = true,
        .remedy = "a duration, at least 1s and at most 366d",
        .doc = "How long after the route's receiver was told."},
    {.key = "receiver",
        .type = SCHEMA_TEXT,
        .offset = offsetof(EscalationKeys, receiver),
        .min = 1,
        .max = 255,
        .required = true,
        .remedy = "the name of a receiver",
        .doc = "Who is told then."},
    SCHEMA_END,
};

#define AT(member) offsetof(RouteKeys, member)
#define DURATION(name, least, standard, says) \
    { \
        .key = #name, .type = SCHEMA_DURATION, .offset = AT(name##_s), .set_offset = AT(name##_given), .min = least, \
        .max = ROUTE_LONGEST_S, .fallback = standard, .remedy = "a duration, at least " #least "s and at most 366d", \
        .doc = says \
    }
#define INTERVALS(name, member, says) \
    { \
        .key = name, .type = SCHEMA_TEXTS, .offset = AT(member), .max = ROUTE_INTERVALS_MAX, \
        .remedy = "a list of names from `time_intervals`", .doc = says \
    }

const SchemaRow route_rows[] = {
    {.key = "receiver",
        .type = SCHEMA_TEXT,
        .offset = AT(receiver),
        .min = 1,
        .max = 255,
        .remedy = "the name of a receiver",
        .doc = "Who is told. Required where there are receivers; a child route's is its parent's, as are all keys up "
               "to repeat_interval."},
    {.key = "group_by",
        .type = SCHEMA_TEXTS,
        .offset = AT(group_by),
        .set_offset = AT(group_by_given),
        .max = ROUTE_LABELS_MAX,
        .fallback = "[alertname]",
        .check = group_by_check,
        .remedy = "a list of label names, or ['...'] for every label",
        .doc = "Alerts that agree in these labels are told in one message. An empty list makes one group of all, "
               "['...'] a group of each alert."},
    DURATION(group_wait, 0, "30s",
        "How long the first message of a group waits for others to join. What resolves meanwhile is never told."),
    DURATION(group_interval, 1, "5m",
        "The beat at which a group that has spoken may speak again: new and resolved alerts wait for it."),
    DURATION(repeat_interval, 1, "4h",
        "After how long what still fires is told again; rounded up to whole group_intervals."),
    {.key = "matchers",
        .type = SCHEMA_NODE,
        .offset = AT(matchers),
        .doc =
            "Which alerts a child route takes: a list of texts such as severity=\"critical\" or alertname=~\"api-.*\", "
            "all of which must hold. A label that an alert lacks is the empty text; an expression must match the "
            "whole value. None: all that its parent takes. The root takes every alert and has none."},
    {.key = "continue",
        .type = SCHEMA_BOOL,
        .offset = AT(goes_on),
        .fallback = "false",
        .remedy = "true or false",
        .doc = "Whether the routes behind this one are asked, too, for an alert that it has taken."},
    {.key = "routes",
        .type = SCHEMA_NODE,
        .offset = AT(routes),
        .doc =
            "Child routes, each with these same keys. The first that takes an alert has it; what none of them takes is "
            "its parent's."},
    INTERVALS("mute_time_intervals", mute,
        "Names from time_intervals: the times at which a child route is silent. What fires then is told when they "
        "end."),
    INTERVALS("active_time_intervals", active, "Likewise: the only times at which a child route speaks."),
    {.key = "escalate",
        .type = SCHEMA_SECTIONS,
        .offset = AT(escalate),
        .set_offset = AT(escalate_given),
        .max = ESCALATIONS_MAX,
        .rows = escalation_rows,
        .size = sizeof(EscalationKeys),
        .remedy = "a list such as [{after: 15m, receiver: lead}]",
        .doc =
            "To whom an alert goes on that still fires and that nobody has acknowledged so long after its receiver was "
            "told; a child route has its parent's where it names none."},
    SCHEMA_END,
};

/* --- one route --- */

typedef struct Building {
    Decoding *in;
    RouteSection *routes;
    Route *last; /* in file order */
    SectionList escalate; /* of the route in hand: its own, or its parent's */
    const IntervalsSection *intervals; /* NULL: there are none */
} Building;

static const Interval *const *find_intervals(
    Building *to, const Node *node, const char *key, const TextList *names, size_t *ret_count) {
    const Interval **found = arena_alloc(to->in->arena, names->count + 1, sizeof *found);
    *ret_count = 0;
    for (size_t i = 0; i < names->count; i++) {
        const Interval *interval = to->intervals ? interval_find(to->intervals, names->texts[i]) : NULL;
        if (interval)
            found[(*ret_count)++] = interval;
        else
            problem_add(to->in->problems, place_of(names, i, node_get(node, key)), "name one of `time_intervals`",
                "the time interval `%.80s` does not exist", names->texts[i]);
    }
    return found;
}

static void take_grouping(Route *route, const RouteKeys *keys, bool is_root) {
    if (is_root || keys->group_by_given) {
        route->by_every_label = keys->group_by.count == 1 && !strcmp(keys->group_by.texts[0], EVERY_LABEL);
        route->group_by = route->by_every_label ? (TextList){0} : keys->group_by;
    }
    if (is_root || keys->group_wait_given) route->group_wait_s = keys->group_wait_s;
    if (is_root || keys->group_interval_given) route->group_interval_s = keys->group_interval_s;
    if (is_root || keys->repeat_interval_given) route->repeat_interval_s = keys->repeat_interval_s;
}

static void take_receiver(Route *route, const RouteKeys *keys, const Node *node) {
    route->names_receiver = keys->receiver != NULL;
    if (!keys->receiver) return;
    route->receiver = keys->receiver;
    route->receiver_at = node_get(node, "receiver")->at;
}

static void take_matchers(Building *to, Route *route, const Route *parent, const RouteKeys *keys) {
    route->matchers = keys->matchers ? matcher_list_read("matchers", keys->matchers, to->in) : matchers_new();
    OWN(text) char *text = matchers_text(route->matchers);
    route->id = arena_format(to->in->arena, "%s/%s", parent->id, text);
    if (strlen(route->id) <= ROUTE_ID_MAX) return;
    problem_add(to->in->problems, keys->matchers ? keys->matchers->at : route->receiver_at,
        "fewer matchers, or a shorter expression",
        "the matchers of this route and of those above it have more than %d bytes", ROUTE_ID_MAX);
    route->id = "{}"; /* the section is refused anyway */
}

static void link_route(Building *to, Route *route) {
    to->last->next = route;
    to->last = route;
}

/* The escalations of a route that is complete; `is_own`: they stand in this route, so their receivers are checked. */
static void make_escalations(Building *to, Route *route, bool is_own) {
    const EscalationKeys *keys = to->escalate.items;
    const Route **link = &route->escalation;
    for (size_t i = 0; i < to->escalate.count; i++) {
        if (!keys[i].receiver || !keys[i].after_s) continue; /* told */
        Route *made = arena_alloc(to->in->arena, 1, sizeof *made);
        *made = *route;
        made->id = arena_format(to->in->arena, "%s/!%llds", route->id, (long long)keys[i].after_s);
        made->receiver = keys[i].receiver;
        made->receiver_at = node_get(to->escalate.nodes[i], "receiver")->at;
        made->names_receiver = is_own;
        made->matchers = NULL;
        made->child = made->sibling = made->next = made->escalation = NULL;
        made->base = route;
        made->after_s = keys[i].after_s;
        *link = made;
        link = &made->sibling;
        link_route(to, made);
    }
}

static void read_children(Building *to, Route *parent, const Node *list);

static void read_child(Building *to, Route *route, const Route *parent, const Node *node) {
    RouteKeys keys = {0};
    *route = *parent;
    route->child = route->sibling = route->next = route->escalation = NULL;
    schema_read(route_rows, node, node->count ? node->entries[0].key->at : node->at, &keys, to->in);
    take_receiver(route, &keys, node);
    take_grouping(route, &keys, false);
    take_matchers(to, route, parent, &keys);
    route->goes_on = keys.goes_on;
    route->mute = find_intervals(to, node, "mute_time_intervals", &keys.mute, &route->mute_count);
    route->active = find_intervals(to, node, "active_time_intervals", &keys.active, &route->active_count);
    link_route(to, route);
    to->routes->count++;
    const SectionList above = to->escalate;
    if (keys.escalate_given) to->escalate = keys.escalate;
    make_escalations(to, route, keys.escalate_given);
    if (keys.routes) read_children(to, route, keys.routes);
    to->escalate = above;
}

static bool has_room(Building *to, const Node *node) {
    if (to->routes->count < ROUTES_MAX) return true;
    if (to->routes->count++ == ROUTES_MAX) /* told once */
        problem_add(to->in->problems, node->at, "fewer", "there are more than %d routes", ROUTES_MAX);
    return false;
}

static void read_children(Building *to, Route *parent, const Node *list) {
    static const char *const remedy = "a list of routes, each a section with matchers and a receiver";
    const Route **link = &parent->child;
    if (list->kind != NODE_LIST) {
        if (!node_is_null(list)) problem_add(to->in->problems, list->at, remedy, "`routes` must be a list");
        return;
    }
    for (size_t i = 0; i < list->count && has_room(to, list->items[i]); i++) {
        if (list->items[i]->kind != NODE_MAP) {
            problem_add(to->in->problems, list->items[i]->at, remedy, "a route must be a section with keys");
            continue;
        }
        Route *route = arena_alloc(to->in->arena, 1, sizeof *route);
        *link = route;
        link = &route->sibling;
        read_child(to, route, parent, list->items[i]);
    }
}

/* --- the root --- */

static void refuse_at_root(const Node *node, Decoding *in) {
    static const char *const keys[] = {"matchers", "continue", "mute_time_intervals", "active_time_intervals"};
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        const NodeEntry *entry = node_entry(node, keys[i]);
        if (entry)
            problem_add(in->problems, entry->key->at, "move it into one of `routes`",
                "`%s` cannot stand in the first route, which takes every alert at any time", keys[i]);
    }
}

static bool route_decode(Decoding *in, const Node *node, void *section) {
    RouteSection *routes = section;
    Route *root = &routes->root;
    const size_t errors = problems_errors(in->problems);
    routes->is_given = !node_is_null(node);
    routes->at = (Place){.file = in->snapshot ? snapshot_file(in->snapshot) : "", .line = 1, .column = 1};
    if (routes->is_given && node->kind != NODE_MAP) {
        problem_add(in->problems, node->at, "a map of keys to values, such as `{key: value}`",
            "`route` must be a section with keys of its own");
        node = NULL;
    }
    RouteKeys keys = {0};
    if (node && node->count) routes->at = node->entries[0].key->at;
    schema_read(route_rows, node, routes->at, &keys, in);
    root->id = "{}";
    root->receiver_at = routes->at;
    take_grouping(root, &keys, true);
    if (!routes->is_given) return true;
    routes->count = 1;
    take_receiver(root, &keys, node);
    if (node && !node_get(node, "receiver")) /* not `required` in its row: children have their parent's */
        problem_add(in->problems, routes->at, "the name of a receiver", "`receiver` is missing");
    refuse_at_root(node, in);
    Building to = {.in = in, .routes = routes, .last = root};
    if (in->snapshot) to.intervals = snapshot_section(in->snapshot, &time_intervals_section);
    to.escalate = keys.escalate;
    make_escalations(&to, root, true);
    if (keys.routes) read_children(&to, root, keys.routes);
    return problems_errors(in->problems) == errors;
}

static void route_destroy(void *section) {
    const RouteSection *routes = section;
    for (const Route *route = &routes->root; route; route = route->next) matchers_free(route->matchers);
}

const SectionDescriptor route_section = {
    .key = "route",
    .doc = "Which receivers are told, how alerts are grouped, and how often they are told again.",
    .size = sizeof(RouteSection),
    .decode = route_decode,
    .destroy = route_destroy,
};
