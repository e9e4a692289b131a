/* A composite alarm's rule. Holds: a fault lies in the text and has a remedy; what is taken names its children within
 * the bounds; brackets around it change nothing, NOT before them turns it around; each child is asked for once, and
 * the answer depends on nothing but theirs. */
#include "fuzz.h"

#include "base/alloc.h"
#include "base/text.h"
#include "rules/composite.h"

#include <stdlib.h>
#include <string.h>

/* States by the child's name and a number, so that they differ between children and runs. */
typedef struct States {
    unsigned number;
    size_t asked, unknown;
} States;

static bool state_of(void *ctx, const char *child, AlarmState *ret_state) {
    States *states = ctx;
    unsigned hash = states->number;
    for (; *child; child++) hash = hash * 31 + (unsigned char)*child;
    states->asked++;
    if (hash % 5 == 4) return states->unknown++, false;
    *ret_state = (AlarmState)(hash % 3);
    return true;
}

static AlarmState evaluate_once(const Composite *rule, unsigned number, size_t *ret_missing) {
    States states = {.number = number};
    const AlarmState state = composite_evaluate(rule, state_of, &states, ret_missing);
    if (state != STATE_ALARM && state != STATE_OK) abort();
    if (states.asked != composite_children(rule) || states.unknown != *ret_missing) abort();
    return state;
}

/* The same rule within other words; one that no longer fits into a bound proves nothing. */
static void check_within(
    const char *before, const char *text, const char *behind, const Composite *rule, bool is_turned) {
    OWN(text) char *longer = text_format("%s%s%s", before, text, behind);
    OWN(composite) Composite *other = composite_parse(longer, NULL);
    if (!other) return;
    if (composite_children(other) != composite_children(rule)) abort();
    for (unsigned number = 0; number < 8; number++) {
        size_t missing = 0, other_missing = 0;
        const AlarmState plain = evaluate_once(rule, number, &missing);
        const AlarmState same = evaluate_once(other, number, &other_missing);
        if ((plain == same) == is_turned || missing != other_missing) abort();
    }
}

static void check_rule(const char *text, const Composite *rule) {
    const size_t children = composite_children(rule), characters = utf8_count(text, strlen(text));
    if (children > COMPOSITE_CHILDREN_MAX || composite_mixed_column(rule) > characters) abort();
    for (size_t i = 0; i < children; i++) {
        const char *child = composite_child(rule, i);
        const size_t column = composite_child_column(rule, i);
        if (!*child || strlen(child) > COMPOSITE_NAME_MAX || !column || column > characters) abort();
        for (size_t j = 0; j < i; j++)
            if (!strcmp(child, composite_child(rule, j))) abort();
    }
    check_within("(", text, ")", rule, false);
    check_within("NOT (", text, ")", rule, true);
    check_within("(", text, ") AND TRUE", rule, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    OWN(text) char *text = text_copy_length((const char *)data, size);
    Fault fault = {0};
    OWN(composite) Composite *rule = composite_parse(text, &fault);
    if (rule)
        check_rule(text, rule);
    else if (!fault.column || fault.column > strlen(text) + 1 || !fault.remedy || !*fault.what)
        abort();
    return 0;
}
