/* tocsinctl check-config FILE: what `tocsind --check` says, without the daemon. */
#include "ctl/verb.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/problems.h"

static int check_config(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    (void)verb;
    OWN(problems) Problems *problems = problems_new();
    OWN(snapshot) Snapshot *snapshot = snapshot_load(ctl->schema, arguments->words[0], true, problems);
    const size_t errors = problems_errors(problems);
    const bool good = snapshot && errors == 0;
    problems_print(problems, ctl->err);
    if (ctl->json) {
        OWN(json) json_t *answer = json_pack("{s:b, s:o}", "ok", good, "errors", problems_json(problems));
        OWN(text) char *text = json_write(answer);
        fprintf(ctl->out, "%s\n", text);
    } else if (good) {
        fprintf(ctl->out, "%s: good\n", arguments->words[0]);
    }
    return good ? CTL_DONE : CTL_FAILED;
}

const CtlVerb verb_check_config = {.name = "check-config",
    .arguments = "FILE",
    .help = "check a configuration without the daemon: every problem, one a line",
    .details = "The same lines as tocsind --check, on standard error. Nothing is contacted.",
    .min_words = 1,
    .max_words = 1,
    .run = check_config};
