/* daemon/rules/composite_parse.c: the grammar of composite rules */
#include "rules/composite_tree.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n"
#define ENDS BLANKS "(),\""

enum { NOWHERE = SIZE_MAX };

static const char *const form = "such as ALARM(\"a\") AND NOT OK(\"b\")";
static const char *const function_form =
    "ALARM(name), OK(name), INSUFFICIENT_DATA(name), AT_LEAST(2, ALARM, (a, b, c)), TRUE or FALSE";
static const char *const at_least_form = "AT_LEAST(2, ALARM, (a, b, c)), or a percentage such as 50%";

typedef struct Reading {
    const char *text;
    size_t at;
    Fault *fault;
    Composite *rule;
    size_t elements, depth;
    size_t first_and; /* within the brackets that are open; NOWHERE: none yet */
} Reading;

static bool is_end(char c) { return !c || strchr(ENDS, c); }

static void skip_blanks(Reading *r) { r->at += strspn(r->text + r->at, BLANKS); }

/* --- the tree --- */

static size_t add_term(Reading *r, Term term) {
    Composite *rule = r->rule;
    rule->terms = alloc_again(rule->terms, rule->term_count + 1, sizeof term);
    rule->terms[rule->term_count] = term;
    return rule->term_count++;
}

static bool count_element(Reading *r, size_t at) {
    if (++r->elements <= COMPOSITE_ELEMENTS_MAX) return true;
    return fault_set(r->fault, r->text, at, "divide it into several composites", "a rule has more than %d elements",
        COMPOSITE_ELEMENTS_MAX);
}

static bool add_ref(Reading *r, const char *name, size_t at) {
    Composite *rule = r->rule;
    size_t child = 0;
    while (child < rule->child_count && strcmp(rule->children[child].name, name) != 0) child++;
    if (child == COMPOSITE_CHILDREN_MAX)
        return fault_set(r->fault, r->text, at, "divide it into several composites", "a rule names more than %d alarms",
            COMPOSITE_CHILDREN_MAX);
    if (child == rule->child_count) {
        rule->children = alloc_again(rule->children, child + 1, sizeof *rule->children);
        rule->children[rule->child_count++] = (Child){text_copy(name), utf8_count(r->text, at) + 1};
    }
    rule->refs = alloc_again(rule->refs, rule->ref_count + 1, sizeof *rule->refs);
    rule->refs[rule->ref_count++] = child;
    return count_element(r, at);
}

/* --- words --- */

/* Is this word next? It is then behind us. */
static bool take_word(Reading *r, const char *word) {
    const size_t length = strlen(word);
    skip_blanks(r);
    if (strncasecmp(r->text + r->at, word, length) != 0 || !is_end(r->text[r->at + length])) return false;
    r->at += length;
    return true;
}

static bool take(Reading *r, char c) {
    skip_blanks(r);
    if (r->text[r->at] != c) return false;
    r->at++;
    return true;
}

static bool expect(Reading *r, char c, const char *remedy) {
    return take(r, c) || fault_set(r->fault, r->text, r->at, remedy, "`%c` is expected here", c);
}

static bool take_state(Reading *r, AlarmState *ret_state) {
    for (int state = STATE_OK; state <= STATE_INSUFFICIENT_DATA; state++) {
        if (!take_word(r, state_word((AlarmState)state))) continue;
        *ret_state = (AlarmState)state;
        return true;
    }
    return false;
}

/* --- references --- */

static bool read_quoted(Reading *r, Buffer *name) {
    const size_t open = r->at++;
    for (; r->text[r->at] != '"'; r->at++) {
        if (!r->text[r->at])
            return fault_set(r->fault, r->text, open, "end it with `\"`; inside, write \\\"", "a quote is not closed");
        if (!strncmp(r->text + r->at, "\\\"", 2)) r->at++;
        buffer_add(name, r->text + r->at, 1);
    }
    r->at++;
    return true;
}

static bool read_ref(Reading *r) {
    OWN(buffer) Buffer name = BUFFER(COMPOSITE_TEXT_MAX);
    skip_blanks(r);
    const size_t at = r->at;
    if (r->text[r->at] == '"') {
        if (!read_quoted(r, &name)) return false;
    } else {
        while (!is_end(r->text[r->at])) buffer_add(&name, &r->text[r->at++], 1);
    }
    if (!name.used) return fault_set(r->fault, r->text, at, form, "an alarm's name is expected here");
    if (name.used > COMPOSITE_NAME_MAX)
        return fault_set(
            r->fault, r->text, at, "a name or an ARN", "a name is longer than %d bytes", COMPOSITE_NAME_MAX);
    return add_ref(r, buffer_string(&name), at);
}

/* Behind a bare name: what a name with a blank would go on with is no operator. */
static bool close_ref(Reading *r) {
    return expect(r, ')', "a name with blanks, brackets or commas stands in double quotes");
}

static bool read_state_term(Reading *r, AlarmState state, size_t *ret_term) {
    const Term term = {.kind = TERM_STATE, .state = state, .first_ref = r->rule->ref_count, .refs = 1};
    if (!expect(r, '(', form) || !read_ref(r) || !close_ref(r)) return false;
    *ret_term = add_term(r, term);
    return true;
}

/* --- AT_LEAST --- */

static bool read_least(Reading *r, Term *term) {
    skip_blanks(r);
    const size_t at = r->at, digits = strspn(r->text + r->at, "0123456789");
    if (!digits || digits > 4)
        return fault_set(r->fault, r->text, at, at_least_form, "a number from 1 on, or a percentage, is expected here");
    term->least = strtoul(r->text + r->at, NULL, 10);
    r->at += digits;
    term->is_percent = take(r, '%');
    if (term->least == 0 || (term->is_percent && term->least > 100))
        return fault_set(r->fault, r->text, at, "from 1 on, or 1% to 100%", "AT_LEAST cannot ask for %zu%s",
            term->least, term->is_percent ? "%" : "");
    return true;
}

static bool read_condition(Reading *r, Term *term) {
    term->is_other = take_word(r, "NOT");
    if (take_state(r, &term->state)) return true;
    skip_blanks(r);
    return fault_set(r->fault, r->text, r->at, "ALARM, OK or INSUFFICIENT_DATA, or NOT and one of these",
        "a state is expected here");
}

static bool read_refs(Reading *r, Term *term) {
    static const char *const remedy = "alarms in brackets of their own, with commas between: (a, b, c)";
    term->first_ref = r->rule->ref_count;
    if (!expect(r, '(', remedy)) return false;
    do {
        if (!read_ref(r)) return false;
    } while (take(r, ','));
    term->refs = r->rule->ref_count - term->first_ref;
    return close_ref(r);
}

static bool read_at_least(Reading *r, size_t *ret_term) {
    Term term = {.kind = TERM_AT_LEAST};
    if (!expect(r, '(', at_least_form)) return false;
    skip_blanks(r);
    const size_t at = r->at;
    if (!read_least(r, &term) || !expect(r, ',', at_least_form) || !read_condition(r, &term)) return false;
    if (!expect(r, ',', at_least_form) || !read_refs(r, &term) || !expect(r, ')', at_least_form)) return false;
    if (!term.is_percent && term.least > term.refs)
        return fault_set(r->fault, r->text, at, "at most as many as there are alarms",
            "AT_LEAST asks for %zu of %zu alarms, which can never be", term.least, term.refs);
    *ret_term = add_term(r, term);
    return true;
}

/* --- the rule --- */

static bool read_or(Reading *r, size_t *ret_term);

static bool read_brackets(Reading *r, size_t *ret_term) {
    const size_t open = r->at - 1;
    if (++r->depth > COMPOSITE_DEPTH_MAX)
        return fault_set(r->fault, r->text, open, "divide it into several composites",
            "brackets are nested deeper than %d", COMPOSITE_DEPTH_MAX);
    if (!count_element(r, open) || !read_or(r, ret_term)) return false;
    r->depth--;
    if (take(r, ')')) return true;
    if (!r->text[r->at]) return fault_set(r->fault, r->text, open, "end it with `)`", "a bracket is not closed");
    return fault_set(r->fault, r->text, r->at, form, "AND, OR or `)` is expected here");
}

static bool read_constant(Reading *r, TermKind kind, size_t *ret_term) {
    if (!count_element(r, r->at)) return false;
    *ret_term = add_term(r, (Term){.kind = kind});
    return true;
}

static bool read_term(Reading *r, size_t *ret_term) {
    AlarmState state;
    if (take(r, '(')) return read_brackets(r, ret_term);
    if (take_word(r, "TRUE")) return read_constant(r, TERM_TRUE, ret_term);
    if (take_word(r, "FALSE")) return read_constant(r, TERM_FALSE, ret_term);
    if (take_word(r, "AT_LEAST")) return read_at_least(r, ret_term);
    if (take_state(r, &state)) return read_state_term(r, state, ret_term);
    const char *found = r->text + r->at;
    const size_t length = strcspn(found, ENDS);
    if (!*found)
        return fault_set(r->fault, r->text, r->at, function_form, "the rule ends where a function is expected");
    if (!length) return fault_set(r->fault, r->text, r->at, function_form, "a function is expected here");
    return fault_set(
        r->fault, r->text, r->at, function_form, "`%.*s` is no function", fault_shown(found, length), found);
}

static bool read_not(Reading *r, size_t *ret_term) {
    bool is_negated = false;
    while (take_word(r, "NOT")) is_negated = !is_negated; /* a loop: their number is not bounded by elements */
    if (!read_term(r, ret_term)) return false;
    if (is_negated) *ret_term = add_term(r, (Term){.kind = TERM_NOT, .left = *ret_term});
    return true;
}

static bool read_and(Reading *r, size_t *ret_term) {
    if (!read_not(r, ret_term)) return false;
    while (take_word(r, "AND")) {
        size_t right;
        if (r->first_and == NOWHERE) r->first_and = r->at - strlen("AND");
        if (!read_not(r, &right)) return false;
        *ret_term = add_term(r, (Term){.kind = TERM_AND, .left = *ret_term, .right = right});
    }
    return true;
}

/* The second of the two operators is the one that a reader may bind the other way. */
static void note_mixed(Reading *r, size_t first_or) {
    if (r->first_and == NOWHERE || first_or == NOWHERE || r->rule->mixed_column) return;
    r->rule->mixed_column = utf8_count(r->text, first_or > r->first_and ? first_or : r->first_and) + 1;
}

static bool read_or(Reading *r, size_t *ret_term) {
    const size_t outer_and = r->first_and;
    size_t first_or = NOWHERE;
    r->first_and = NOWHERE;
    if (!read_and(r, ret_term)) return false;
    while (take_word(r, "OR")) {
        size_t right;
        if (first_or == NOWHERE) first_or = r->at - strlen("OR");
        if (!read_and(r, &right)) return false;
        *ret_term = add_term(r, (Term){.kind = TERM_OR, .left = *ret_term, .right = right});
    }
    note_mixed(r, first_or);
    r->first_and = outer_and;
    return true;
}

Composite *composite_parse(const char *text, Fault *ret_fault) {
    if (!fault_check_text(ret_fault, text, COMPOSITE_TEXT_MAX)) return NULL;
    OWN(composite) Composite *half = alloc_zeroed(1, sizeof *half);
    Reading reading = {.text = text, .fault = ret_fault, .rule = half, .first_and = NOWHERE};
    size_t root;
    skip_blanks(&reading);
    if (!text[reading.at]) return fault_set(ret_fault, text, reading.at, form, "the rule is empty"), NULL;
    if (!read_or(&reading, &root)) return NULL;
    skip_blanks(&reading);
    if (text[reading.at]) return fault_set(ret_fault, text, reading.at, form, "AND or OR is expected here"), NULL;
    return GIVE(half);
}
