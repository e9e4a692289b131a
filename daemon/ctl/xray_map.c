/* tocsinctl xray map: the service graph of the last window, as a tree from the clients down, or for Graphviz. */
#include "ctl/verb.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"
#include "base/timetext.h"
#include "ctl/call.h"
#include "ctl/people.h"
#include "ctl/xray_tree.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_SHOWN = 40, TYPE_SHOWN = 24 }; /* bytes, in the tree; --json and --dot show all */
enum { OPTION_GROUP, OPTION_ACCOUNT, OPTION_REGION, OPTION_DOT };

static const CtlOption options[] = {
    {"--group", NULL, "G", "only the X-Ray group G"},
    {"--account", NULL, "A", "only the account A"},
    {"--region", NULL, "R", "only the region R"},
    {"--dot", NULL, NULL, "the graph in Graphviz' language"},
    {0},
};

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_text(object, key);
    return text ? text : "";
}

/* --- figures in words; each caller frees --- */

static char *rate_words(const json_t *part, const char *key, const char *unit) {
    double value;
    return json_double(part, key, &value) ? text_format("%.3g%s", value, unit) : text_copy("-");
}

static char *latency_words(const json_t *part, const char *percentile) {
    double seconds;
    if (!json_double(json_map(part, "latency"), percentile, &seconds)) return text_copy("-");
    return seconds < 1 ? text_format("%.3g ms", seconds * 1000) : text_format("%.3g s", seconds);
}

static char *state_words(const json_t *part) {
    Buffer out = BUFFER((size_t)4096);
    const json_t *alarms = json_list(part, "alarms");
    for (size_t i = 0; i < json_array_size(alarms); i++) {
        const json_t *alarm = json_array_get(alarms, i);
        buffer_format(&out, "%s%s %s", i ? ", " : "", text_of(alarm, "name"), text_of(alarm, "state"));
    }
    if (!out.used) buffer_text(&out, "-");
    return buffer_take(&out);
}

/* What the caller saw of the call: `12/min, faults 5 %, p99 20 ms`; the same figures as the callee's are not repeated
 * where nobody measured anything else. */
static char *call_words(const json_t *edge) {
    if (!edge) return text_copy("");
    OWN(text) char *requests = rate_words(edge, "requests_per_minute", "/min");
    OWN(text) char *faults = rate_words(edge, "fault_rate", " %");
    OWN(text) char *p99 = latency_words(edge, "p99");
    OWN(text) char *states = state_words(edge);
    const bool is_late = json_flag(edge, "asynchronous", false);
    return text_format("%s, faults %s, %s %s%s%s", requests, faults, is_late ? "event age p99" : "p99", p99,
        strcmp(states, "-") ? ", " : "", strcmp(states, "-") ? states : "");
}

/* A name for a line: the middle of a long one is left out, for its end tells it from its neighbours. Caller frees. */
static char *short_words(const char *text, size_t max) {
    const size_t length = strlen(text), head = utf8_cut(text, length, max / 2);
    size_t tail = length - (max - max / 2);
    if (length <= max) return text_copy(text);
    while (((unsigned char)text[tail] & 0xc0) == 0x80) tail++; /* not within a character */
    return text_format("%.*s…%s", (int)head, text, text + tail);
}

static char *name_words(const TreeRow *row) {
    static const char *const marks[] = {
        [TREE_FULL] = "", [TREE_AGAIN] = " (see above)", [TREE_CYCLE] = " (a cycle)", [TREE_DEEP] = " (and deeper)"};
    OWN(text) char *name = short_words(text_of(row->node, "name"), NAME_SHOWN);
    OWN(text) char *type = short_words(text_of(row->node, "type"), TYPE_SHOWN);
    return text_format("%s%s%s%s%s%s", row->lead, name, *type ? " [" : "", type, *type ? "]" : "", marks[row->kind]);
}

/* --- a tree --- */

static Paint row_paint(const json_t *part) {
    const char *state = json_text(part, "alarm_state");
    return state ? people_state_paint(state) : PAINT_NONE;
}

static void add_row(Table *table, const TreeRow *row) {
    const bool is_full = row->kind == TREE_FULL || row->kind == TREE_DEEP;
    table_cell_take(table, row_paint(row->node), name_words(row));
    if (is_full) {
        table_cell_take(table, PAINT_NONE, rate_words(row->node, "requests_per_minute", ""));
        table_cell_take(table, PAINT_NONE, rate_words(row->node, "fault_rate", ""));
        table_cell_take(table, PAINT_NONE, rate_words(row->node, "error_rate", ""));
        table_cell_take(table, PAINT_NONE, latency_words(row->node, "p50"));
        table_cell_take(table, PAINT_NONE, latency_words(row->node, "p99"));
        table_cell_take(table, row_paint(row->node), state_words(row->node));
    } else {
        for (int i = 0; i < 6; i++) table_cell(table, PAINT_NONE, "");
    }
    table_cell_take(table, row->edge ? row_paint(row->edge) : PAINT_NONE, call_words(row->edge));
}

static bool same_place(const json_t *a, const json_t *b) {
    return !strcmp(text_of(a, "account"), text_of(b, "account")) &&
        !strcmp(text_of(a, "region"), text_of(b, "region")) && !strcmp(text_of(a, "group"), text_of(b, "group"));
}

/* Those of `parts` that belong to the window; new reference. */
static json_t *parts_of(const json_t *window, const json_t *parts) {
    json_t *own = json_array();
    for (size_t i = 0; i < json_array_size(parts); i++)
        if (same_place(window, json_array_get(parts, i))) json_array_append(own, json_array_get(parts, i));
    return own;
}

static void print_head(CtlContext *ctl, const json_t *window) {
    OWN(text) char *end = people_when(ctl->clock, json_text(window, "end"));
    const char *group = text_of(window, "group");
    OWN(text)
    char *line = text_format("%s %s%s%s, the window that ended %s", text_of(window, "account"),
        text_of(window, "region"), *group ? ", group " : "", group, end);
    OWN(text) char *clean = people_clean(line);
    people_paint(ctl->out, ctl->colour, PAINT_BOLD, clean);
    fputc('\n', ctl->out);
}

static void print_window(CtlContext *ctl, const json_t *window, const json_t *answer) {
    static const char *const heads[] = {
        "SERVICE", "REQ/MIN", "FAULT %", "ERROR %", "P50", "P99", "ALARMS", "AS ITS CALLER SAW IT", NULL};
    print_head(ctl, window);
    if (!json_flag(window, "shown", true)) {
        fputs("too many nodes to show at once: choose by --account, --region, --group\n", ctl->out);
        return;
    }
    OWN(json) json_t *nodes = parts_of(window, json_list(answer, "nodes"));
    OWN(json) json_t *edges = parts_of(window, json_list(answer, "edges"));
    if (!json_array_size(nodes)) {
        fputs("no service was called in this window\n", ctl->out);
        return;
    }
    OWN(tree) Tree *tree = tree_new(nodes, edges);
    OWN(table) Table *table = table_new(heads);
    for (size_t i = 0; i < tree->count; i++) add_row(table, &tree->rows[i]);
    table_print(table, ctl->out, ctl->colour);
    if (tree->left_out) fprintf(ctl->out, "%zu rows more (--json has them all)\n", tree->left_out);
}

static void print_trees(CtlContext *ctl, const json_t *answer) {
    const json_t *windows = json_list(answer, "windows");
    for (size_t i = 0; i < json_array_size(windows); i++) {
        if (i) fputc('\n', ctl->out);
        print_window(ctl, json_array_get(windows, i), answer);
    }
}

/* --- Graphviz --- */

/* A quoted string of the DOT language. */
static void dot_string(FILE *out, const char *text) {
    OWN(text) char *clean = people_clean(text);
    fputc('"', out);
    for (const char *p = clean; *p; p++) {
        if (*p == '"' || *p == '\\') fputc('\\', out);
        fputc(*p, out);
    }
    fputc('"', out);
}

static const char *dot_colour(const json_t *part) {
    const char *state = json_text(part, "alarm_state");
    if (!state) return "black";
    return !strcmp(state, "ALARM") ? "red" : !strcmp(state, "OK") ? "darkgreen" : "orange";
}

static void print_dot(CtlContext *ctl, const json_t *answer) {
    const json_t *nodes = json_list(answer, "nodes"), *edges = json_list(answer, "edges");
    int64_t from, to;
    fputs("digraph services {\n  rankdir=LR;\n  node [shape=box];\n", ctl->out);
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *node = json_array_get(nodes, i);
        OWN(text) char *rate = rate_words(node, "requests_per_minute", "/min");
        OWN(text) char *faults = rate_words(node, "fault_rate", " %");
        OWN(text)
        char *label = text_format("%s (%s): %s, faults %s", text_of(node, "name"), text_of(node, "type"), rate, faults);
        if (!json_whole(node, "id", &from)) continue;
        fprintf(ctl->out, "  n%lld [color=%s, label=", (long long)from, dot_colour(node));
        dot_string(ctl->out, label);
        fputs("];\n", ctl->out);
    }
    for (size_t i = 0; i < json_array_size(edges); i++) {
        const json_t *edge = json_array_get(edges, i);
        OWN(text) char *label = call_words(edge);
        if (!json_whole(edge, "from_id", &from) || !json_whole(edge, "to_id", &to)) continue;
        fprintf(ctl->out, "  n%lld -> n%lld [color=%s%s, label=", (long long)from, (long long)to, dot_colour(edge),
            json_flag(edge, "asynchronous", false) ? ", style=dashed" : "");
        dot_string(ctl->out, label);
        fputs("];\n", ctl->out);
    }
    fputs("}\n", ctl->out);
}

/* --- the verb --- */

static char *query_of(const CtlArguments *arguments) {
    static const struct {
        int option;
        const char *parameter;
    } parts[] = {{OPTION_GROUP, "group"}, {OPTION_ACCOUNT, "account"}, {OPTION_REGION, "region"}};
    Buffer path = BUFFER((size_t)16384);
    buffer_text(&path, "/v1/service-graph");
    char lead = '?';
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (!arguments->values[parts[i].option]) continue;
        OWN(text) char *value = part_encode(arguments->values[parts[i].option]);
        buffer_format(&path, "%c%s=%s", lead, parts[i].parameter, value);
        lead = '&';
    }
    return buffer_take(&path);
}

static int run(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    if (strcmp(arguments->words[0], "map") != 0)
        return verb_usage(verb, ctl, "`%.80s` is none of its words: map", arguments->words[0]);
    OWN(text) char *path = query_of(arguments);
    OWN(json) json_t *answer = NULL;
    const int outcome = call_daemon(ctl, "GET", path, CALL_MS, &answer, NULL);
    if (outcome != CTL_DONE) return outcome;
    const bool is_empty = !json_array_size(json_list(answer, "windows"));
    if (ctl->json)
        call_print(ctl, answer);
    else if (arguments->values[OPTION_DOT])
        print_dot(ctl, answer);
    else if (!is_empty)
        print_trees(ctl, answer);
    if (!is_empty) return CTL_DONE;
    fputs("tocsinctl: no service graph was read there yet: it is read for alarms with `service_graph`\n", ctl->err);
    return CTL_FAILED;
}

const CtlVerb verb_xray = {.name = "xray",
    .arguments = "map",
    .help = "the service graph of the last window, with rates, latency and the states of its alarms",
    .details =
        "From the clients down; a service that comes up again is only named, a call back up is marked as a cycle.\n"
        "Rates are of requests in the window; p50 and p99 are response times as the service saw them.",
    .options = options,
    .min_words = 1,
    .max_words = 1,
    .run = run};
