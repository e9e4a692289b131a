#include "base/problems.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/escape.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 4096 };

typedef struct Problem {
    size_t file, line, column, index; /* file: as first met; index: keeps the order in one place */
    char *text; /* the whole line */
} Problem;

struct Problems {
    Problem *list; /* at most PROBLEMS_SHOWN */
    size_t count, errors, hidden;
    char **files;
    size_t file_count;
    char *more_at; /* where the first hidden one stands */
};

Problems *problems_new(void) { return alloc_zeroed(1, sizeof(Problems)); }

Problems *problems_free(Problems *all) {
    if (!all) return NULL;
    for (size_t i = 0; i < all->count; i++) free(all->list[i].text);
    for (size_t i = 0; i < all->file_count; i++) free(all->files[i]);
    free(all->list);
    free(all->files);
    free(all->more_at);
    free(all);
    return NULL;
}

static size_t file_number(Problems *all, const char *file) {
    for (size_t i = 0; i < all->file_count; i++) {
        if (!strcmp(all->files[i], file)) return i;
    }
    all->files = alloc_again(all->files, all->file_count + 1, sizeof *all->files);
    all->files[all->file_count] = text_copy(file);
    return all->file_count++;
}

static char *place_text(Place at) {
    OWN(buffer) Buffer text = BUFFER(LINE_MAX_BYTES);
    escape_control(&text, at.file ? at.file : "-");
    buffer_format(&text, ":%u:%u", at.line ? at.line : 1, at.column ? at.column : 1);
    return buffer_take(&text);
}

__attribute__((format(printf, 5, 0))) static void add(
    Problems *all, Place at, const char *kind, const char *remedy, const char *what, va_list args) {
    OWN(text) char *place = place_text(at);
    if (all->count == PROBLEMS_SHOWN) {
        if (!all->hidden++) all->more_at = GIVE(place);
        return;
    }
    OWN(text) char *said = text_format_v(what, args);
    OWN(buffer) Buffer line = BUFFER(2 * LINE_MAX_BYTES);
    buffer_format(&line, "%s: %s: ", place, kind);
    escape_control(&line, said);
    if (remedy) {
        buffer_text(&line, " (");
        escape_control(&line, remedy);
        buffer_text(&line, ")");
    }
    all->list = alloc_again(all->list, all->count + 1, sizeof *all->list);
    all->list[all->count] =
        (Problem){file_number(all, at.file ? at.file : "-"), at.line, at.column, all->count, buffer_take(&line)};
    all->count++;
}

bool problems_full(const Problems *all) { return all->count == PROBLEMS_SHOWN; }

bool problem_add(Problems *all, Place at, const char *remedy, const char *what, ...) {
    va_list args;
    va_start(args, what);
    add(all, at, "error", remedy, what, args);
    va_end(args);
    all->errors++;
    return false;
}

void problem_warn(Problems *all, Place at, const char *remedy, const char *what, ...) {
    va_list args;
    va_start(args, what);
    add(all, at, "warning", remedy, what, args);
    va_end(args);
}

size_t problems_errors(const Problems *all) { return all->errors; }

static int compare(size_t a, size_t b) { return a < b ? -1 : a > b; }

static int in_file_order(const void *a, const void *b) {
    const Problem *x = *(const Problem *const *)a, *y = *(const Problem *const *)b;
    int order = compare(x->file, y->file);
    if (!order) order = compare(x->line, y->line);
    if (!order) order = compare(x->column, y->column);
    return order ? order : compare(x->index, y->index);
}

/* Pointers to the problems, sorted; caller frees. */
static const Problem **sorted(const Problems *all) {
    const Problem **order = alloc_zeroed(all->count, sizeof(const Problem *));
    for (size_t i = 0; i < all->count; i++) order[i] = &all->list[i];
    qsort(order, all->count, sizeof *order, in_file_order);
    return order;
}

static char *more_line(const Problems *all) {
    return text_format("%s: error: %zu more are not shown (mend the others first)", all->more_at, all->hidden);
}

void problems_print(const Problems *all, FILE *out) {
    const Problem **order = sorted(all);
    for (size_t i = 0; i < all->count; i++) fprintf(out, "%s\n", order[i]->text);
    free(order);
    if (!all->hidden) return;
    OWN(text) char *more = more_line(all);
    fprintf(out, "%s\n", more);
}

json_t *problems_json(const Problems *all) {
    json_t *lines = json_array();
    const Problem **order = sorted(all);
    for (size_t i = 0; i < all->count; i++) json_array_append_new(lines, json_string(order[i]->text));
    free(order);
    if (!all->hidden) return lines;
    OWN(text) char *more = more_line(all);
    json_array_append_new(lines, json_string(more));
    return lines;
}
