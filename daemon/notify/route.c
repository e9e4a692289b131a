/* daemon/notify/route.c: the tree of routes, asked */
#include "notify/route.h"

#include "base/alloc.h"
#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

#define ROOT_ID "{}"
#define GROUP_KEY_BYTES ((size_t)1 << 18) /* room for a route's id and 64 labels of 1,024 bytes, quoted */

/* --- where an alert goes --- */

/* As deep as the configuration's YAML may be nested, at most. */
static size_t match_below(const Route *route, const Labels *labels, const Route **into) {
    if (route->matchers && !matchers_match(route->matchers, labels, NULL)) return 0;
    size_t count = 0;
    for (const Route *child = route->child; child; child = child->sibling) {
        const size_t more = match_below(child, labels, into + count);
        count += more;
        if (more && !child->goes_on) break;
    }
    if (!count) into[count++] = route;
    return count;
}

size_t route_match(const RouteSection *routes, const Labels *labels, const Route **into) {
    return routes->is_given && routes->root.receiver ? match_below(&routes->root, labels, into) : 0;
}

size_t route_room(const RouteSection *routes) { return routes->count + 1; }

/* --- groups --- */

static bool is_grouped_by(const Route *route, const char *name) {
    if (route->by_every_label) return true;
    for (size_t i = 0; i < route->group_by.count; i++)
        if (!strcmp(route->group_by.texts[i], name)) return true;
    return false;
}

Labels *route_group_labels(const Route *route, const Labels *labels) {
    const size_t count = labels_count(labels);
    Label *chosen = alloc_zeroed(count + 1, sizeof *chosen);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const Label label = labels_at(labels, i);
        if (is_grouped_by(route, label.name)) chosen[used++] = label;
    }
    Labels *group = labels_new(chosen, used);
    free(chosen);
    return group;
}

static const char *id_of(const Route *route) { return route->id ? route->id : ROOT_ID; }

static void quote(Buffer *out, const char *text) {
    buffer_text(out, "\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') buffer_text(out, "\\");
        buffer_add(out, *text == '\n' ? "\\n" : text, *text == '\n' ? 2 : 1);
    }
    buffer_text(out, "\"");
}

const char *route_group_key(const Route *route, const char *receiver, const Labels *group_labels, Arena *arena) {
    OWN(buffer) Buffer out = BUFFER(GROUP_KEY_BYTES);
    buffer_format(&out, "%s/%s:{", receiver, id_of(route));
    for (size_t i = 0; i < labels_count(group_labels); i++) {
        const Label label = labels_at(group_labels, i);
        buffer_format(&out, "%s%s=", i ? ", " : "", label.name);
        quote(&out, label.value);
    }
    buffer_text(&out, "}");
    return arena_text(arena, buffer_string(&out));
}

/* Behind an id comes `:{`, and no id goes on so: behind a closed brace there is a `/` or the end. */
static bool begins_with_id(const Route *route, const char *text) {
    const size_t length = strlen(id_of(route));
    return !strncmp(text, id_of(route), length) && !strncmp(text + length, ":{", 2);
}

bool route_makes_key(const Route *route, const char *receiver, const char *key) {
    return route->receiver && !strcmp(route->receiver, receiver) && begins_with_id(route, key + strlen(receiver) + 1);
}

const Route *route_of_key(const RouteSection *routes, const char *receiver, const char *key) {
    for (const Route *route = &routes->root; route; route = route->next)
        if (route_makes_key(route, receiver, key)) return route;
    return &routes->root;
}

/* --- times --- */

static const Interval *first_that_holds(const Interval *const *intervals, size_t count, int64_t now_s) {
    for (size_t i = 0; i < count; i++)
        if (interval_contains(intervals[i], now_s)) return intervals[i];
    return NULL;
}

const Interval *route_muted_by(const Route *route, int64_t now_s) {
    const Interval *muting = first_that_holds(route->mute, route->mute_count, now_s);
    if (muting || !route->active_count) return muting;
    return first_that_holds(route->active, route->active_count, now_s) ? NULL : route->active[0];
}
