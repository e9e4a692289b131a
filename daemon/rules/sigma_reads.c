/* Can a read-only event meet a rule? Three answers, no, yes, perhaps; only a no is acted upon. */
#include "rules/sigma_inside.h"

#include "base/json.h"

#include <string.h>
#include <strings.h>

typedef enum { ANSWER_NO, ANSWER_PERHAPS, ANSWER_YES } Answer;

/* How names of calls that change something begin, folded. Not here, since they read in some service: assume, decrypt,
 * encrypt, generate, invoke, query, start (StartQuery), stop (StopQuery), test, search. */
static const char *const writes[] = {"accept", "add", "allocate", "attach", "authorize", "associate", "cancel",
    "create", "deactivate", "decline", "delete", "deregister", "detach", "disable", "disassociate", "enable", "invite",
    "leave", "modify", "move", "put", "reboot", "register", "reject", "remove", "replace", "reset", "resync", "revoke",
    "run", "schedule", "set", "stopconfiguration", "stoplogging", "startlogging", "stopeventdatastore",
    "stopmonitoring", "tag", "terminate", "untag", "update", "upload", "upgrade", "batchdisable", "consolelogin",
    "changepassword", "passwordupdated", NULL};
/* And what begins so, and reads all the same. */
static const char *const reads[] = {"createsession", "createtoken", NULL};

static bool begins_with_one(const char *text, size_t length, const char *const *list) {
    for (; *list; list++) {
        size_t i = 0;
        while ((*list)[i] && i < length && fold_byte(text[i]) == (*list)[i]) i++;
        if (!(*list)[i]) return true;
    }
    return false;
}

/* Is the text the beginning of a call that reads? */
static bool begins_one(const char *text, size_t length) {
    for (size_t i = 0; reads[i]; i++)
        if (!strncasecmp(reads[i], text, length)) return true;
    return false;
}

static bool is_write(const SigmaValue *value) {
    const SigmaGlob *glob = &value->glob;
    if (value->kind != VALUE_GLOB || (glob->kind != GLOB_EXACT && glob->kind != GLOB_PREFIX)) return false;
    return begins_with_one(glob->text, glob->length, writes) && !begins_with_one(glob->text, glob->length, reads) &&
        !(glob->kind == GLOB_PREFIX && begins_one(glob->text, glob->length));
}

static bool is_all_writes(const SigmaTest *test) {
    size_t count = 0;
    for (size_t i = 0; i < test->count; i++) count += is_write(&test->values[i]);
    return test->all ? count > 0 : test->count && count == test->count;
}

static bool is_about_another(const SigmaTest *test) {
    for (size_t i = 0; i < test->count; i++)
        if (test->values[i].kind == VALUE_FIELD) return true;
    return false;
}

static Answer answer(SigmaScratch *scratch, const SigmaExpr *expr);

static Answer answer_test(SigmaScratch *scratch, const SigmaExpr *expr) {
    const SigmaTest *test = expr->test;
    const char *name = test->field == FIELD_KEYWORDS ? "" : scratch->set->fields[test->field].name;
    if (!strcmp(name, "readOnly") && !is_about_another(test)) return expr_holds(scratch, expr) ? ANSWER_YES : ANSWER_NO;
    if (!strcmp(name, "eventName") && !test->negated && is_all_writes(test)) return ANSWER_NO;
    return ANSWER_PERHAPS;
}

static Answer answer(SigmaScratch *scratch, const SigmaExpr *expr) {
    Answer least = ANSWER_YES, most = ANSWER_NO;
    if (expr->kind == EXPR_TEST) return answer_test(scratch, expr);
    for (size_t i = 0; i < expr->count; i++) {
        const Answer kid = answer(scratch, expr->kids[i]);
        if (kid < least) least = kid;
        if (kid > most) most = kid;
    }
    if (expr->kind == EXPR_NOT) return (Answer)(ANSWER_YES - least);
    return expr->kind == EXPR_AND ? least : most;
}

/* The event of which only this is known; tests of `readOnly` are decided by it. */
static bool rule_reads(const SigmaSet *set, SigmaScratch *scratch, uint32_t number) {
    const SigmaExpr *expr = set->entries[number].expr;
    return expr && answer(scratch, expr) != ANSWER_NO;
}

static SigmaScratch *read_scratch(const SigmaSet *set, json_t *event) {
    SigmaScratch *scratch = sigma_scratch_new(set);
    const uint32_t *numbers;
    sigma_set_match(set, event, scratch, &numbers);
    scratch->event = event;
    return scratch;
}

bool sigma_rule_reads(const SigmaSet *set, uint32_t number) {
    OWN(json) json_t *event = json_pack("{s:b}", "readOnly", 1);
    OWN(sigma_scratch) SigmaScratch *scratch = read_scratch(set, event);
    const SigmaCorrelation *correlation = set->entries[number].rule.correlation;
    for (size_t i = 0; correlation && i < correlation->rule_count; i++)
        if (sigma_rule_reads(set, correlation->rules[i])) return true; /* as deep as CORRELATION_CHAIN_MAX */
    return rule_reads(set, scratch, number);
}

bool sigma_set_reads(const SigmaSet *set) {
    OWN(json) json_t *event = json_pack("{s:b}", "readOnly", 1);
    OWN(sigma_scratch) SigmaScratch *scratch = read_scratch(set, event);
    for (uint32_t i = 0; i < set->count; i++)
        if (rule_reads(set, scratch, i)) return true;
    return false;
}
