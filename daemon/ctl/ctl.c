#include "ctl/ctl.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef TOCSIN_VERSION
#error "the build says which version this is"
#endif

static int unknown_verb(const CtlContext *ctl, const char *name) {
    enum { VERBS_MAX = 64 };
    const char *names[VERBS_MAX + 1] = {NULL};
    for (size_t i = 0; ctl_verbs[i] && i < VERBS_MAX; i++) names[i] = ctl_verbs[i]->name;
    const char *near = text_nearest(name, names);
    if (near)
        fprintf(ctl->err, "tocsinctl: no verb `%.80s`: did you mean `%s`?\n", name, near);
    else
        fprintf(ctl->err, "tocsinctl: no verb `%.80s` (`tocsinctl --help` lists them)\n", name);
    return CTL_USAGE;
}

/* Is argv[at] a global option? Takes it, and its value, into `ctl`; how many words it was; -1: its value is missing. */
static int global_option(CtlContext *ctl, int argc, char **argv, int at) {
    if (!strcmp(argv[at], "--json")) return ctl->json = true, 1;
    if (!strncmp(argv[at], "--socket=", strlen("--socket="))) return ctl->socket = argv[at] + strlen("--socket="), 1;
    if (strcmp(argv[at], "--socket")) return 0;
    if (at + 1 >= argc) return fputs("tocsinctl: --socket needs a path\n", ctl->err), -1;
    ctl->socket = argv[at + 1];
    return 2;
}

static int show_help(CtlContext *ctl, int argc, char **argv) {
    if (argc < 2) return verbs_help(ctl->out), CTL_DONE;
    const CtlVerb *verb = verb_find(argv[1]);
    if (!verb) return unknown_verb(ctl, argv[1]);
    return verb_help(verb, ctl->out), CTL_DONE;
}

static int run_verb(CtlContext *ctl, const CtlVerb *verb, int argc, char **argv) {
    const char **words = alloc_zeroed((size_t)argc + 1, sizeof *words);
    CtlArguments arguments;
    bool help = false;
    int status = verb_arguments(verb, ctl, argc, argv, words, &arguments, &help);
    if (help)
        verb_help(verb, ctl->out);
    else if (status == CTL_DONE)
        status = verb->run(verb, ctl, &arguments);
    else if (verb->usage_status)
        status = verb->usage_status;
    free(words);
    return status;
}

int ctl_run(CtlContext *ctl, int argc, char **argv) {
    ctl->socket = CTL_SOCKET;
    int at = 1;
    while (at < argc && argv[at][0] == '-') {
        if (!strcmp(argv[at], "--help") || !strcmp(argv[at], "-h")) return verbs_help(ctl->out), CTL_DONE;
        if (!strcmp(argv[at], "--version")) return fputs("tocsinctl " TOCSIN_VERSION "\n", ctl->out), CTL_DONE;
        const int taken = global_option(ctl, argc, argv, at);
        if (taken < 0) return CTL_USAGE;
        if (taken == 0) {
            fprintf(ctl->err, "tocsinctl: no option `%.80s` before the verb (--socket PATH, --json)\n", argv[at]);
            return CTL_USAGE;
        }
        at += taken;
    }
    if (at >= argc) return verbs_help(ctl->err), CTL_USAGE;
    if (!strcmp(argv[at], "help")) return show_help(ctl, argc - at, argv + at);
    const CtlVerb *verb = verb_find(argv[at]);
    if (!verb) return unknown_verb(ctl, argv[at]);
    return run_verb(ctl, verb, argc - at, argv + at);
}

int ctl_main(int argc, char **argv, const SnapshotSchema *schema, CtlPlaces (*places)(const Snapshot *snapshot)) {
    OWN(clock) Clock *clock = clock_new();
    const char *no_colour = getenv("NO_COLOR");
    CtlContext ctl = {.schema = schema,
        .places = places,
        .clock = clock,
        .out = stdout,
        .err = stderr,
        .colour = isatty(STDOUT_FILENO) && !(no_colour && *no_colour)};
    int status = ctl_run(&ctl, argc, argv);
    if ((fflush(stdout) || ferror(stdout)) && status == CTL_DONE) {
        fputs("tocsinctl: what was asked for could not be written\n", stderr);
        status = CTL_FAILED;
    }
    if (ctl.is_left_busy) _exit(status); /* exit() has libuv wait for its threads */
    return status;
}
