#include "ctl/verb.h"

#include "base/text.h"

#include <stdarg.h>
#include <string.h>

const CtlVerb *const ctl_verbs[] = {&verb_status, &verb_alarms, &verb_show, &verb_history, &verb_sources,
    &verb_notifications, &verb_silence, &verb_ack, &verb_unack, &verb_routes, &verb_explain, &verb_test_receiver,
    &verb_reload, &verb_watch, &verb_events, &verb_xray, &verb_check, &verb_check_config, &verb_backtest, &verb_cost,
    &verb_iam_policy, &verb_sigma, &verb_whoami, &verb_doctor, &verb_completion, NULL};

const CtlVerb *verb_find(const char *name) {
    for (size_t i = 0; ctl_verbs[i]; i++)
        if (!strcmp(ctl_verbs[i]->name, name)) return ctl_verbs[i];
    return NULL;
}

static void usage_line(const CtlVerb *verb, FILE *out) {
    fprintf(out, "usage: tocsinctl [--socket PATH] [--json] %s", verb->name);
    for (const CtlOption *option = verb->options; option && option->name; option++) {
        if (option->value)
            fprintf(out, " [%s %s]", option->name, option->value);
        else
            fprintf(out, " [%s]", option->name);
    }
    fprintf(out, "%s%s\n", *verb->arguments ? " " : "", verb->arguments);
}

int verb_usage(const CtlVerb *verb, const CtlContext *ctl, const char *what, ...) {
    fprintf(ctl->err, "tocsinctl: %s: ", verb->name);
    va_list args;
    va_start(args, what);
    vfprintf(ctl->err, what, args);
    va_end(args);
    fputc('\n', ctl->err);
    usage_line(verb, ctl->err);
    return CTL_USAGE;
}

void verb_help(const CtlVerb *verb, FILE *out) {
    usage_line(verb, out);
    fprintf(out, "\n%s\n", verb->help);
    if (verb->details) fprintf(out, "\n%s\n", verb->details);
    if (verb->options) fputs("\noptions:\n", out);
    for (const CtlOption *option = verb->options; option && option->name; option++) {
        char left[80];
        snprintf(left, sizeof left, "%s%s%s%s%s", option->name, option->other ? ", " : "",
            option->other ? option->other : "", option->value ? " " : "", option->value ? option->value : "");
        fprintf(out, "  %-22s %s\n", left, option->help);
    }
}

void verbs_help(FILE *out) {
    fputs("usage: tocsinctl [--socket PATH] [--json] VERB ...\n\nverbs:\n", out);
    for (size_t i = 0; ctl_verbs[i]; i++) {
        char left[80];
        snprintf(left, sizeof left, "%s %s", ctl_verbs[i]->name, ctl_verbs[i]->arguments);
        fprintf(out, "  %-38s %s\n", left, ctl_verbs[i]->help);
    }
    fputs("  help [VERB]                            what a verb does, and its options\n\n"
          "options:\n"
          "  --socket PATH   the daemon's socket (default /run/tocsin/tocsin.sock)\n"
          "  --json          the daemon's own JSON objects in place of tables\n"
          "  --version       the version, and nothing else\n\n"
          "exit status: 0 done, 1 failed, 2 wrong usage, 3 the daemon could not be reached\n",
        out);
}

static const CtlOption globals[] = {
    {"--json", NULL, NULL, NULL}, {"--socket", NULL, "PATH", NULL}, {"--help", "-h", NULL, NULL}, {0}};
enum { GLOBAL_JSON, GLOBAL_SOCKET, GLOBAL_HELP };

/* The option that `word` spells, alone or as `--name=value`; -1: none. */
static int option_at(const CtlOption *options, const char *word, const char **ret_inline) {
    for (int i = 0; options && options[i].name; i++) {
        const char *spellings[] = {options[i].name, options[i].other};
        for (size_t s = 0; s < 2 && spellings[s]; s++) {
            const size_t length = strlen(spellings[s]);
            if (strncmp(word, spellings[s], length)) continue;
            if (word[length] && (word[length] != '=' || word[1] != '-')) continue;
            *ret_inline = word[length] ? word + length + 1 : NULL;
            return i;
        }
    }
    return -1;
}

/* One option, its value included: how many words of argv it takes, or -1 with a message. */
static int take_option(const CtlVerb *verb, const CtlContext *ctl, const CtlOption *option, const char *given,
    char **rest, int left, const char **ret_value) {
    if (!option->value) {
        if (given) return verb_usage(verb, ctl, "%s takes no value", option->name), -1;
        *ret_value = option->name;
        return 1;
    }
    if (given) return *ret_value = given, 1;
    if (left < 2) return verb_usage(verb, ctl, "%s needs its %s", option->name, option->value), -1;
    *ret_value = rest[1];
    return 2;
}

static int unknown_option(const CtlVerb *verb, const CtlContext *ctl, const char *word) {
    const char *names[CTL_OPTIONS + 4] = {"--json", "--socket", "--help"};
    size_t count = 3;
    for (const CtlOption *option = verb->options; option && option->name && count < CTL_OPTIONS + 3; option++)
        names[count++] = option->name;
    const char *near = text_nearest(word, names);
    if (near) return verb_usage(verb, ctl, "no option `%.80s`: did you mean `%s`?", word, near);
    return verb_usage(verb, ctl, "no option `%.80s`", word);
}

/* Takes the option at argv[0] into `ctl` or `ret`. How many words it took; -1: a message was written; 0: the help. */
static int one_option(const CtlVerb *verb, CtlContext *ctl, int argc, char **argv, CtlArguments *ret) {
    const char *given = NULL, *value = NULL;
    const int global = option_at(globals, argv[0], &given);
    if (global == GLOBAL_HELP) return 0;
    const int own = global >= 0 ? -1 : option_at(verb->options, argv[0], &given);
    if (global < 0 && own < 0) return unknown_option(verb, ctl, argv[0]), -1;
    const CtlOption *option = global >= 0 ? &globals[global] : &verb->options[own];
    const int taken = take_option(verb, ctl, option, given, argv, argc, &value);
    if (taken < 0) return -1;
    if (global == GLOBAL_JSON)
        ctl->json = true;
    else if (global == GLOBAL_SOCKET)
        ctl->socket = value;
    else
        ret->values[own] = value;
    return taken;
}

int verb_arguments(const CtlVerb *verb, CtlContext *ctl, int argc, char **argv, const char **room,
    CtlArguments *ret_arguments, bool *ret_help) {
    CtlArguments found = {.words = room};
    bool options_end = false;
    for (int at = 1; at < argc;) {
        if (!options_end && !strcmp(argv[at], "--")) {
            options_end = true;
            at++;
        } else if (!options_end && argv[at][0] == '-' && argv[at][1]) {
            const int taken = one_option(verb, ctl, argc - at, argv + at, &found);
            if (taken < 0) return CTL_USAGE;
            if (taken == 0) return *ret_help = true, CTL_DONE;
            at += taken;
        } else {
            room[found.count++] = argv[at++];
        }
    }
    if (found.count < verb->min_words) return verb_usage(verb, ctl, "something is missing behind it");
    if (found.count > verb->max_words) return verb_usage(verb, ctl, "`%.80s` is too much", room[verb->max_words]);
    *ret_arguments = found;
    return CTL_DONE;
}
