/* tocsinctl reload: a new configuration, all or nothing. */
#include "ctl/verb.h"

#include "base/alloc.h"
#include "ctl/call.h"
#include "ctl/people.h"

static int run(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    (void)verb, (void)arguments;
    OWN(json) json_t *answer = NULL;
    const int outcome = call_daemon(ctl, "POST", "/v1/reload", CALL_RELOAD_MS, &answer, NULL);
    if (outcome != CTL_DONE) return outcome;
    if (ctl->json) return call_print(ctl, answer), CTL_DONE;
    const json_t *warnings = json_list(answer, "warnings");
    for (size_t i = 0; i < json_array_size(warnings); i++) {
        OWN(text) char *line = people_clean(json_string_value(json_array_get(warnings, i)));
        fprintf(ctl->err, "%s\n", line);
    }
    fputs("reloaded\n", ctl->out);
    return CTL_DONE;
}

const CtlVerb verb_reload = {.name = "reload",
    .arguments = "",
    .help = "read the configuration again; a bad one changes nothing and says why",
    .run = run};
