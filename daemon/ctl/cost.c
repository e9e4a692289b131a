/* tocsinctl cost: what AWS asks for a configuration, before anything is called. */
#include "ctl/offline.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "ctl/call.h"
#include "ctl/people.h"

#include <stdlib.h>
#include <string.h>

enum { OPTION_CONFIG };
static const CtlOption options[] = {{"-c", "--config", "FILE", "the configuration (default " CTL_CONFIG ")"}, {0}};

typedef struct AlarmCost {
    const Alarm *alarm;
    size_t watches;
    PlanCost cost; /* if it were alone */
} AlarmCost;

/* One row an alarm; its watches lie side by side. Caller frees. */
static AlarmCost *costs_of(Snapshot *snapshot, const OfflineWatches *all, size_t *ret_count) {
    AlarmCost *costs = alloc_zeroed(all->count + 1, sizeof *costs);
    *ret_count = 0;
    for (size_t first = 0; first < all->count;) {
        size_t end = first;
        while (end < all->count && all->alarms[end] == all->alarms[first]) end++;
        OWN(plan) Plan *plan = sources_plan(snapshot, &all->watches[first], end - first);
        costs[(*ret_count)++] = (AlarmCost){all->alarms[first], end - first, plan_cost(plan)};
        first = end;
    }
    return costs;
}

static int dearest_first(const void *left, const void *right) {
    const AlarmCost *a = left, *b = right;
    const int order = (a->cost.usd_month < b->cost.usd_month) - (a->cost.usd_month > b->cost.usd_month);
    return order ? order : strcmp(a->alarm->name, b->alarm->name);
}

static const char *note_of(const Alarm *alarm) {
    const char *note = alarm->source->price_note ? alarm->source->price_note(alarm->selector) : NULL;
    return note ? note : "";
}

static void print_table(CtlContext *ctl, const AlarmCost *costs, size_t count, PlanCost total) {
    static const char *const heads[] = {"USD A MONTH", "METRICS ASKED", "WATCHED", "ALARM", "AND", NULL};
    OWN(table) Table *table = table_new(heads);
    for (size_t i = 0; i < count; i++) {
        table_cell_take(table, PAINT_NONE, text_format("%.2f", costs[i].cost.usd_month));
        table_cell_take(table, PAINT_NONE, text_format("%.0f", costs[i].cost.billed_units_month));
        table_cell_take(table, PAINT_NONE, text_format("%zu", costs[i].watches));
        table_cell(table, PAINT_NONE, costs[i].alarm->name);
        table_cell_take(table, PAINT_NONE, text_copy(note_of(costs[i].alarm)));
    }
    if (count) table_print(table, ctl->out, ctl->colour);
    fprintf(ctl->out,
        "%sabout %.2f USD a month in all (%.0f metrics asked by GetMetricData; what alarms share counts once)\n",
        count ? "\n" : "", total.usd_month, total.billed_units_month);
}

static json_t *cost_json(PlanCost cost) {
    return json_pack("{s:o, s:o}", "billed_units_month", json_number(cost.billed_units_month), "usd_month",
        json_number(cost.usd_month));
}

static void print_json(const CtlContext *ctl, const AlarmCost *costs, size_t count, PlanCost total) {
    json_t *rows = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *row = cost_json(costs[i].cost);
        json_object_set_new(row, "name", json_safe(costs[i].alarm->name));
        json_object_set_new(row, "source", json_string(costs[i].alarm->source->name));
        json_object_set_new(row, "watched", json_integer((json_int_t)costs[i].watches));
        json_object_set_new(row, "note", *note_of(costs[i].alarm) ? json_string(note_of(costs[i].alarm)) : json_null());
        json_array_append_new(rows, row);
    }
    OWN(json) json_t *answer = json_pack("{s:o, s:o}", "alarms", rows, "total", cost_json(total));
    call_print(ctl, answer);
}

static int run(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    (void)verb;
    const char *file = arguments->values[OPTION_CONFIG];
    OWN(snapshot) Snapshot *snapshot = offline_config(ctl, file ? file : CTL_CONFIG);
    if (!snapshot) return CTL_FAILED;
    OfflineWatches all = offline_watches(snapshot);
    size_t count;
    AlarmCost *costs = costs_of(snapshot, &all, &count);
    qsort(costs, count, sizeof *costs, dearest_first);
    OWN(plan) Plan *plan = sources_plan(snapshot, all.watches, all.count);
    if (ctl->json)
        print_json(ctl, costs, count, plan_cost(plan));
    else
        print_table(ctl, costs, count, plan_cost(plan));
    free(costs);
    offline_watches_drop(&all);
    return CTL_DONE;
}

const CtlVerb verb_cost = {.name = "cost",
    .arguments = "",
    .help = "what AWS asks for a configuration, an alarm a line, before anything is called",
    .details =
        "List prices of us-east-1, in months of 30.4 days. Each alarm's line is its price if it were alone: the\n"
        "sum in the last line is less where alarms share a metric. WATCHED: accounts times regions.",
    .options = options,
    .run = run};
