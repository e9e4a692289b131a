/* tocsinctl test-receiver NAME: does a page arrive? */
#include "ctl/verb.h"

#include "base/alloc.h"
#include "ctl/call.h"
#include "ctl/people.h"

#include <string.h>

/* How many of the results were not delivered. */
static size_t print_results(CtlContext *ctl, const json_t *results) {
    static const char *const heads[] = {"OUTCOME", "PLUGIN", "#", "THE RECEIVER'S OWN WORDS", NULL};
    size_t failed = 0;
    OWN(table) Table *table = table_new(heads);
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *row = json_array_get(results, i);
        const char *outcome = json_text(row, "outcome");
        failed += !outcome || strcmp(outcome, "delivered");
        table_cell(table, people_state_paint(outcome), outcome);
        table_cell(table, PAINT_NONE, json_text(row, "plugin"));
        table_cell_take(table, PAINT_NONE, people_number(json_object_get(row, "index")));
        table_cell(table, PAINT_NONE, json_text(row, "detail"));
    }
    if (!ctl->json) table_print(table, ctl->out, ctl->colour);
    return failed;
}

static int run(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    (void)verb;
    OWN(text) char *part = part_encode(arguments->words[0]);
    OWN(text) char *path = text_format("/v1/receivers/%s/test", part);
    OWN(json) json_t *answer = NULL;
    const int outcome = call_daemon(ctl, "POST", path, CALL_TEST_MS, &answer, NULL);
    if (outcome != CTL_DONE) return outcome;
    const json_t *results = json_list(answer, "results");
    if (ctl->json) call_print(ctl, answer);
    if (json_array_size(results) == 0) {
        fprintf(ctl->err, "tocsinctl: receiver `%s` has no plugin: it drops what it gets\n", arguments->words[0]);
        return CTL_DONE;
    }
    return print_results(ctl, results) ? CTL_FAILED : CTL_DONE;
}

const CtlVerb verb_test_receiver = {.name = "test-receiver",
    .arguments = "NAME",
    .help = "send a test notification through each plugin of a receiver, one try each",
    .details = "Fails (1) when one of them was not delivered.",
    .min_words = 1,
    .max_words = 1,
    .run = run};
