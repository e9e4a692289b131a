/* A configuration drawn by chance: who is told of which alerts, and when. The model reads this struct, the daemon the
 * file that is printed from it: nothing is handed from one to the other. */
#ifndef TOCSIN_TESTS_SPEC_H
#define TOCSIN_TESTS_SPEC_H

#include "draw.h"

#include <stdio.h>

enum {
    SPEC_ALARMS = 6,
    SPEC_REGIONS = 2,
    SPEC_ALERTS = SPEC_ALARMS * SPEC_REGIONS,
    SPEC_RECEIVERS = 5,
    SPEC_CHANNELS = 2,
    SPEC_ROUTES = 10,
    SPEC_MATCHERS = 3,
    SPEC_ESCALATIONS = 2,
    SPEC_INTERVALS = 3,
    SPEC_RULES = 3
};

/* In the order of their names. */
typedef enum {
    LABEL_ACCOUNT,
    LABEL_ALERTNAME,
    LABEL_REGION,
    LABEL_SEVERITY,
    LABEL_SOURCE,
    LABEL_STAGE,
    LABEL_TEAM,
    SPEC_LABELS
} SpecLabel;
extern const char *const spec_label_names[SPEC_LABELS];

typedef enum { OP_EQUAL, OP_DIFFERS, OP_LIKE, OP_UNLIKE, OPS } SpecOp;
extern const char *const spec_op_words[OPS]; /* = != =~ !~ */
typedef struct SpecMatcher {
    SpecLabel label;
    SpecOp op;
    const char *value;
} SpecMatcher;
typedef struct SpecMatchers {
    size_t count;
    SpecMatcher list[SPEC_MATCHERS];
} SpecMatchers; /* all hold */

typedef struct SpecAlert {
    const char *values[SPEC_LABELS]; /* "": it has no such label */
} SpecAlert;

typedef struct SpecReceiver {
    size_t channel_count;
    bool send_resolved[SPEC_CHANNELS];
} SpecReceiver;

typedef struct SpecEscalation {
    int64_t after_s;
    size_t receiver;
} SpecEscalation;

/* As it is written: what a route does not give is its parent's. */
typedef struct SpecRoute {
    size_t parent; /* the root is its own, and gives all */
    SpecMatchers matchers;
    bool goes_on;
    bool gives_receiver, gives_group_by, gives_wait, gives_interval, gives_repeat, gives_escalations;
    size_t receiver;
    bool by_every_label;
    unsigned group_by; /* bits of SpecLabel */
    int64_t wait_s, interval_s, repeat_s;
    size_t escalation_count;
    SpecEscalation escalations[SPEC_ESCALATIONS];
    unsigned mute, active; /* bits of intervals; not the parent's */
} SpecRoute;

typedef struct SpecInterval {
    int first_minute, end_minute; /* of the day, UTC; the end is not in it */
    unsigned weekdays; /* bits, 0 is Sunday; none: every day */
} SpecInterval;

typedef struct SpecRule { /* of inhibition */
    SpecMatchers source, target;
    unsigned equal; /* bits of SpecLabel */
} SpecRule;

typedef struct Spec {
    SpecAlert alerts[SPEC_ALERTS];
    SpecReceiver receivers[SPEC_RECEIVERS];
    SpecRoute routes[SPEC_ROUTES]; /* a parent stands before its children, siblings in their order */
    size_t route_count;
    SpecInterval intervals[SPEC_INTERVALS];
    SpecRule rules[SPEC_RULES];
    size_t rule_count;
} Spec;

void spec_draw(Spec *spec, Draw *draw);
/* What a reload may change without routing anything elsewhere: inhibition, the intervals' times, how often is repeated,
 * who hears of the end. */
void spec_vary(Spec *spec, Draw *draw);
/* For a silence: at least one does not match the empty text. */
void spec_draw_silence(Draw *draw, SpecMatchers *matchers);
/* The configuration of a daemon that keeps its state in `directory`. A receiver's channel is
 * http://127.0.0.1/RECEIVER/CHANNEL. */
void spec_print(const Spec *spec, const char *directory, FILE *out);

#endif
