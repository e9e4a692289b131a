/* The verbs of tocsinctl: one file a verb, found through one table, which also makes the help. A verb writes what was
 * asked for to `out` and talk to `err`; it never calls exit(). One thread; those that ask AWS turn a loop, of their
 * own. */
#ifndef TOCSIN_CTL_VERB_H
#define TOCSIN_CTL_VERB_H

#include "base/clock.h"
#include "config/snapshot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { CTL_DONE, CTL_FAILED, CTL_USAGE, CTL_UNREACHABLE }; /* tocsinctl's exit status */

/* What a configuration says in sections that the verbs do not know: tocsinctl.c does. Borrowed from the snapshot. */
typedef struct CtlPlaces {
    const char *state_directory;
    const char *socket; /* NULL: not given */
    const char *heartbeat_url; /* NULL: heartbeat_secret, or none */
    const Secret *heartbeat_secret;
} CtlPlaces;

/* What every verb is handed. */
typedef struct CtlContext {
    const char *socket; /* the daemon's; never NULL */
    bool json; /* --json: the API's own objects, nothing else, on `out` */
    bool colour; /* out is a terminal, and NO_COLOR is not set */
    const SnapshotSchema *schema; /* for verbs that read a configuration without a daemon */
    CtlPlaces (*places)(const Snapshot *snapshot);
    const Clock *clock;
    FILE *out, *err;
    bool is_left_busy; /* by a verb: a thread still waits for what nobody wants any more; the program ends without it */
} CtlContext;

/* One option of a verb. `--json`, `--socket` and `--help` are everybody's and stand in no verb's list. */
typedef struct CtlOption {
    const char *name; /* `--state`, `-c` */
    const char *other; /* a second spelling, or NULL */
    const char *value; /* what its value is called (`STATE`); NULL: a flag */
    const char *help;
} CtlOption;

enum { CTL_OPTIONS = 16 };

/* A verb's words as they were given, options taken out. Borrowed from argv. */
typedef struct CtlArguments {
    const char *const *words; /* without the verb itself */
    size_t count;
    const char
        *values[CTL_OPTIONS]; /* parallel to the verb's options; NULL: not given; a flag: its own name. The last wins */
} CtlArguments;

typedef struct CtlVerb CtlVerb;
struct CtlVerb {
    const char *name;
    const char *arguments; /* for the usage line: `[NAME]`, "" for none */
    const char *help; /* one line, lower case, no full stop */
    const char *details; /* further lines of `VERB --help`, or NULL */
    const CtlOption *options; /* at most CTL_OPTIONS; ends at a NULL name; NULL: none */
    size_t min_words, max_words;
    int usage_status; /* of wrong words, where it is not CTL_USAGE; 0: it is */
    int (*run)(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments); /* the exit status */
};

extern const CtlVerb *const ctl_verbs[]; /* in the order of the help; ends at NULL */
const CtlVerb *verb_find(const char *name); /* NULL: unknown */

/* Sorts argv (behind the verb) into words and options; takes `--json`, `--socket` into `ctl`. CTL_DONE: go on with
 * `ret_arguments`, whose `words` are `room` (of argc places). Otherwise a message was written: CTL_USAGE; or the help
 * was asked for: `*ret_help` is true and nothing was written. */
int verb_arguments(const CtlVerb *verb, CtlContext *ctl, int argc, char **argv, const char **room,
    CtlArguments *ret_arguments, bool *ret_help);
/* Writes what is wrong and the verb's usage line to err. Returns CTL_USAGE. */
int verb_usage(const CtlVerb *verb, const CtlContext *ctl, const char *what, ...) __attribute__((format(printf, 3, 4)));
void verb_help(const CtlVerb *verb, FILE *out); /* `tocsinctl VERB --help` */
void verbs_help(FILE *out); /* `tocsinctl --help` */

extern const CtlVerb verb_status, verb_alarms, verb_show, verb_history, verb_sources, verb_notifications, verb_silence,
    verb_ack, verb_unack, verb_routes, verb_explain, verb_test_receiver, verb_reload, verb_watch, verb_events,
    verb_xray, verb_check, verb_check_config, verb_backtest, verb_cost, verb_iam_policy, verb_sigma, verb_whoami,
    verb_doctor, verb_completion;

#endif
