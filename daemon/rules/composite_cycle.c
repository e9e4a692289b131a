#include "rules/composite_cycle.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/table.h"

#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 2048 };

typedef enum { UNSEEN, ON_PATH, DONE } Mark;

typedef struct Vertex {
    const NamedComposite *composite;
    Mark mark;
    size_t next_child; /* of those on the path */
    UT_hash_handle hh;
} Vertex;

typedef struct Search {
    Vertex *vertices, *by_name;
    Vertex **path; /* from where the search began to where it is */
    size_t length;
    const NamedComposite *composites;
    CompositeCycleFound *found;
    void *ctx;
    size_t told;
} Search;

static Vertex *vertex_named(const Search *s, const char *name) {
    Vertex *vertex = NULL;
    HASH_FIND_STR(s->by_name, name, vertex);
    return vertex;
}

/* The path from `start` to its end leads back to `start`. */
static void tell(Search *s, const Vertex *start) {
    OWN(buffer) Buffer text = BUFFER(PATH_BYTES);
    size_t i = s->length;
    while (s->path[i - 1] != start) i--;
    for (i--; i < s->length; i++) buffer_format(&text, "%s -> ", s->path[i]->composite->name);
    buffer_text(&text, start->composite->name);
    const char *path = text.overflow ? "more alarms than can be named" : buffer_string(&text);
    s->found(s->ctx, (size_t)(start->composite - s->composites), path);
    s->told++;
}

/* One step: to the next child of the path's end, or back. */
static void step(Search *s) {
    Vertex *end = s->path[s->length - 1];
    const Composite *rule = end->composite->rule;
    if (!rule || end->next_child == composite_children(rule)) {
        end->mark = DONE;
        s->length--;
        return;
    }
    Vertex *child = vertex_named(s, composite_child(rule, end->next_child++));
    if (!child || child->mark == DONE) return; /* no composite, or looked at */
    if (child->mark == ON_PATH) {
        tell(s, child);
        return;
    }
    child->mark = ON_PATH;
    s->path[s->length++] = child;
}

size_t composite_cycles(const NamedComposite *composites, size_t count, CompositeCycleFound *found, void *ctx) {
    Search s = {.vertices = alloc_zeroed(count, sizeof(Vertex)),
        .path = alloc_zeroed(count, sizeof(Vertex *)),
        .composites = composites,
        .found = found,
        .ctx = ctx};
    for (size_t i = 0; i < count; i++) {
        s.vertices[i].composite = &composites[i];
        if (!vertex_named(&s, composites[i].name))
            HASH_ADD_KEYPTR(hh, s.by_name, composites[i].name, strlen(composites[i].name), &s.vertices[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (s.vertices[i].mark != UNSEEN) continue;
        s.vertices[i].mark = ON_PATH;
        s.path[s.length++] = &s.vertices[i];
        while (s.length) step(&s);
    }
    HASH_CLEAR(hh, s.by_name);
    free(s.path);
    free(s.vertices);
    return s.told;
}
