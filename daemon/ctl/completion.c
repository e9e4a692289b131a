/* tocsinctl completion: what a shell completes, from the same table as the help. */
#include "ctl/verb.h"

#include <ctype.h>
#include <string.h>

/* The small words of a verb's arguments, which are written as they stand: `retry` and `discard` of
 * `[retry ID | discard ID]`. */
static void put_words(const char *arguments, FILE *out) {
    while (*arguments) {
        const size_t length = strcspn(arguments, " []|");
        bool small = length > 0;
        for (size_t i = 0; i < length; i++) small = small && islower((unsigned char)arguments[i]);
        if (small) fprintf(out, " %.*s", (int)length, arguments);
        arguments += length + (arguments[length] != 0);
    }
}

static bool is_file(const char *value) {
    return value && (strstr(value, "FILE") || strstr(value, ".csv") || strstr(value, "PATH"));
}

static bool wants_file(const CtlVerb *verb) {
    return strstr(verb->arguments, "FILE") || strstr(verb->arguments, "RULE");
}

static const char *const states = "OK ALARM INSUFFICIENT_DATA";

static void bash_value(const CtlVerb *verb, const CtlOption *option, FILE *out) {
    fprintf(out, "    %s:%s", verb->name, option->name);
    if (option->other) fprintf(out, "|%s:%s", verb->name, option->other);
    if (is_file(option->value))
        fputs(") compopt -o filenames; COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n", out);
    else
        fprintf(out, ") COMPREPLY=($(compgen -W '%s' -- \"$word\")); return ;;\n",
            strstr(option->value, "STATE") ? states : "");
}

/* What stands behind an option that takes a value. */
static void bash_values(FILE *out) {
    fputs("    case $before in\n", out);
    for (size_t v = 0; ctl_verbs[v]; v++)
        for (const CtlOption *o = ctl_verbs[v]->options; o && o->name; o++)
            if (o->value) bash_value(ctl_verbs[v], o, out);
    fputs("    esac\n", out);
}

static void bash(FILE *out) {
    fputs("# bash completion of tocsinctl; written by `tocsinctl completion bash`\n"
          "_tocsinctl() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} verb= before= words= i\n"
          "    COMPREPLY=()\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        case ${COMP_WORDS[i]} in\n"
          "        --socket) ((i++)) ;;\n"
          "        -*) ;;\n"
          "        *) verb=${COMP_WORDS[i]}; break ;;\n"
          "        esac\n"
          "    done\n"
          "    if [[ ${COMP_WORDS[COMP_CWORD - 1]} == --socket ]]; then\n"
          "        compopt -o filenames; COMPREPLY=($(compgen -f -- \"$word\")); return\n"
          "    fi\n"
          "    before=$verb:${COMP_WORDS[COMP_CWORD - 1]}\n",
        out);
    bash_values(out);
    fputs("    case $verb in\n    '') words='", out);
    for (size_t v = 0; ctl_verbs[v]; v++) fprintf(out, "%s ", ctl_verbs[v]->name);
    fputs("help --version' ;;\n    help) words='", out);
    for (size_t v = 0; ctl_verbs[v]; v++) fprintf(out, "%s ", ctl_verbs[v]->name);
    fputs("' ;;\n", out);
    for (size_t v = 0; ctl_verbs[v]; v++) {
        const CtlVerb *verb = ctl_verbs[v];
        fprintf(out, "    %s) words='", verb->name);
        for (const CtlOption *o = verb->options; o && o->name; o++) fprintf(out, "%s ", o->name);
        put_words(verb->arguments, out);
        fputs("'", out);
        if (wants_file(verb))
            fputs("; [[ $word == -* ]] || { compopt -o filenames; COMPREPLY=($(compgen -f -- \"$word\")); }", out);
        fputs(" ;;\n", out);
    }
    fputs("    esac\n"
          "    COMPREPLY+=($(compgen -W \"$words --json --socket --help\" -- \"$word\"))\n"
          "}\n"
          "complete -F _tocsinctl tocsinctl\n",
        out);
}

/* In single quotes, where a bracket or a colon would be zsh's own sign. */
static void zsh_text(const char *text, FILE *out) {
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", out);
        else if (strchr("[]:\\", *text))
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
}

static void zsh_option(const char *name, const CtlOption *option, FILE *out) {
    fprintf(out, " \\\n            '%s[", name);
    zsh_text(option->help, out);
    fputs("]", out);
    if (option->value) {
        fputs(":", out);
        zsh_text(option->value, out);
        fprintf(out, ":%s", is_file(option->value) ? "_files" : "");
        if (strstr(option->value, "STATE")) fprintf(out, "(%s)", states);
    }
    fputs("'", out);
}

static void zsh_verb(const CtlVerb *verb, FILE *out) {
    fprintf(out, "    %s)\n        _arguments $globals", verb->name);
    for (const CtlOption *o = verb->options; o && o->name; o++) {
        zsh_option(o->name, o, out);
        if (o->other) zsh_option(o->other, o, out);
    }
    if (wants_file(verb)) {
        fputs(" \\\n            '*:file:_files'", out);
    } else if (*verb->arguments) {
        fputs(" \\\n            '*:argument:(", out);
        put_words(verb->arguments, out);
        fputs(")'", out);
    }
    fputs(" ;;\n", out);
}

static void zsh(FILE *out) {
    fputs("#compdef tocsinctl\n"
          "# zsh completion of tocsinctl; written by `tocsinctl completion zsh`\n"
          "_tocsinctl() {\n"
          "    local -a verbs globals\n"
          "    local context state line\n"
          "    globals=('--json[JSON in place of tables]' '--socket[the daemon'\\''s socket]:path:_files' "
          "'--help[help]')\n"
          "    verbs=(\n",
        out);
    for (size_t v = 0; ctl_verbs[v]; v++) {
        fprintf(out, "        '%s:", ctl_verbs[v]->name);
        zsh_text(ctl_verbs[v]->help, out);
        fputs("'\n", out);
    }
    fputs("        'help:what a verb does, and its options'\n"
          "    )\n"
          "    _arguments -C $globals '--version[the version]' '1:verb:->verb' '*::argument:->argument' && return\n"
          "    if [[ $state == verb ]]; then\n"
          "        _describe verb verbs\n"
          "        return\n"
          "    fi\n"
          "    case $line[1] in\n"
          "    help) _describe verb verbs ;;\n",
        out);
    for (size_t v = 0; ctl_verbs[v]; v++) zsh_verb(ctl_verbs[v], out);
    fputs("    esac\n"
          "}\n"
          "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _tocsinctl \"$@\"; else compdef _tocsinctl tocsinctl; "
          "fi\n",
        out);
}

static int run(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    const char *shell = arguments->words[0];
    if (!strcmp(shell, "bash"))
        bash(ctl->out);
    else if (!strcmp(shell, "zsh"))
        zsh(ctl->out);
    else
        return verb_usage(verb, ctl, "`%.80s` is not bash or zsh", shell);
    return CTL_DONE;
}

const CtlVerb verb_completion = {.name = "completion",
    .arguments = "bash | zsh",
    .help = "what a shell completes behind tocsinctl, for `source <(tocsinctl completion bash)`",
    .min_words = 1,
    .max_words = 1,
    .run = run};
