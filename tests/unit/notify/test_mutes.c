/* What holds an alert back, and which alerts on callers a callee's alert holds. */
#include "notify/mutes.h"

#include "../run.h"

#include "sources/xray_callers.h"

#include <stdio.h>
#include <string.h>

enum { NOW_MS = 1700000000 };

/* browser -> front -> checkout -> payments, payments -> ledger -> payments (a cycle), front -> search; two of one name.
 */
static ServiceGraph *graph_make(int64_t end_s) {
    static const char body[] =
        "{\"Services\":[{\"ReferenceId\":0,\"Name\":\"browser\",\"Type\":\"client\",\"Edges\":[{\"ReferenceId\":1}]},"
        "{\"ReferenceId\":1,\"Name\":\"front\",\"Type\":\"A\",\"Edges\":[{\"ReferenceId\":2},{\"ReferenceId\":5}]},"
        "{\"ReferenceId\":2,\"Name\":\"checkout\",\"Type\":\"A\",\"Edges\":[{\"ReferenceId\":3}]},"
        "{\"ReferenceId\":3,\"Name\":\"payments\",\"Type\":\"B\",\"Edges\":[{\"ReferenceId\":4}]},"
        "{\"ReferenceId\":4,\"Name\":\"ledger\",\"Type\":\"B\",\"Edges\":[{\"ReferenceId\":3}]},"
        "{\"ReferenceId\":5,\"Name\":\"search\",\"Type\":\"B\",\"Edges\":[]},"
        "{\"ReferenceId\":6,\"Name\":\"checkout\",\"Type\":\"Z\",\"Edges\":[]}]}";
    GraphPages *pages = graph_pages_new();
    Error err = {0};
    const char *token;
    ck_assert_msg(graph_pages_add(pages, body, strlen(body), &token, &err), "%s", err.text);
    return service_graph_new(pages, "prod", "eu", "Default", end_s - 60, end_s);
}

static const struct {
    const char *service, *type, *want; /* the callers, `name/type ` each, sorted */
} callers[] = {
    {"payments", "", "browser/client checkout/A front/A "},
    {"payments", "B", "browser/client checkout/A front/A "},
    {"payments", "A", ""},
    {"ledger", "", "browser/client checkout/A front/A "}, /* of the cycle's two none stands before the other */
    {"checkout", "", "browser/client front/A "},
    {"checkout", "Z", ""},
    {"browser", "", ""},
    {"nobody", "", ""},
};

START_TEST(callers_are_found) {
    char got[256] = "";
    bool calls[16];
    OWN(service_graph) ServiceGraph *graph = graph_make(60);
    graph_callers(graph, callers[_i].service, callers[_i].type, calls);
    for (size_t i = 0; i < service_graph_node_count(graph); i++)
        if (calls[i])
            snprintf(got + strlen(got), sizeof got - strlen(got), "%s/%s ", service_graph_node(graph, i)->name,
                service_graph_node(graph, i)->type);
    ck_assert_str_eq(got, callers[_i].want);
}
END_TEST

static ServiceGraph *known;
static const ServiceGraph *find(void *ctx, const char *account, const char *region, const char *group) {
    (void)ctx;
    return strcmp(account, "prod") || strcmp(region, "eu") || strcmp(group, "Default") ? NULL : known;
}

static Labels *labels_of(const char *service, const char *severity, const char *account, const char *source) {
    const Label pairs[] = {{"service", service}, {"severity", severity}, {"account", account}, {"region", "eu"},
        {"xray_group", "Default"}, {"source", source}};
    return labels_new(pairs, 6);
}

static const struct {
    const char *service, *severity, *account, *source;
    int64_t after_ms;
    bool is_held;
} alerts[] = {
    {"checkout", "error", "prod", "xray", 0, true},
    {"front", "info", "prod", "xray", MUTES_CALLERS_MS - 1, true},
    {"front", "info", "prod", "xray", MUTES_CALLERS_MS, false}, /* it outlasts them */
    {"front", "info", "prod", "xray", -1, false}, /* our clock was set back: rather told than held for longer */
    {"front", "critical", "prod", "xray", 0, false},
    {"payments", "error", "prod", "xray", 0, false}, /* itself */
    {"ledger", "error", "prod", "xray", 0, false},
    {"search", "error", "prod", "xray", 0, false},
    {"front", "error", "test", "xray", 0, false},
    {"front", "error", "prod", "cloudwatch", 0, false},
    {"", "error", "prod", "xray", 0, false},
};

START_TEST(a_callee_holds_its_callers) {
    const Alarm alarm = {.suppress_callers = true}, plain = {.name = "x"};
    OWN(mutes) Mutes *mutes = mutes_new();
    known = graph_make(60);
    mutes_set_graph(mutes, find, NULL);
    Instance callee = {.fingerprint = "00000000000000aa",
        .alarm = &alarm,
        .labels = labels_of("payments", "critical", "prod", "xray"),
        .firing_since_ms = NOW_MS};
    OWN(labels)
    Labels *labels = labels_of(alerts[_i].service, alerts[_i].severity, alerts[_i].account, alerts[_i].source);
    const int64_t at_ms = NOW_MS + alerts[_i].after_ms;
    ck_assert(!mutes_hold(mutes, labels, at_ms));
    mutes_follow(mutes, &callee);
    mutes_follow(mutes, &callee);
    const char *by[2];
    ck_assert_int_eq(mutes_hold(mutes, labels, at_ms), alerts[_i].is_held);
    ck_assert_uint_eq(mutes_inhibitors(mutes, labels, at_ms, by, 2), alerts[_i].is_held);
    if (alerts[_i].is_held) ck_assert_str_eq(by[0], callee.fingerprint);
    known = service_graph_free(known); /* the next window is not there yet */
    ck_assert(!mutes_hold(mutes, labels, at_ms));
    known = graph_make(120);
    ck_assert_int_eq(mutes_hold(mutes, labels, at_ms), alerts[_i].is_held);
    callee.resolved_ms = at_ms;
    mutes_follow(mutes, &callee);
    ck_assert(!mutes_hold(mutes, labels, at_ms));
    callee.resolved_ms = 0;
    callee.alarm = &plain;
    mutes_follow(mutes, &callee);
    ck_assert(!mutes_hold(mutes, labels, at_ms));
    callee.alarm = &alarm;
    mutes_follow(mutes, &callee);
    mutes_forget(mutes, callee.fingerprint);
    ck_assert(!mutes_hold(mutes, labels, at_ms));
    labels_free(callee.labels);
    known = service_graph_free(known);
}
END_TEST

START_TEST(silences_and_rules_hold) {
    OWN(mutes) Mutes *mutes = mutes_new();
    OWN(labels) Labels *labels = labels_of("front", "error", "prod", "xray");
    InhibitRule rule = {.source = matchers_new(), .target = matchers_new()};
    ck_assert(matchers_add_text(rule.source, "severity=critical", NULL));
    ck_assert(matchers_add_text(rule.target, "severity=error", NULL));
    const Instance source = {.fingerprint = "00000000000000aa",
        .labels = labels_of("x", "critical", "prod", "xray"),
        .firing_since_ms = NOW_MS};
    const Instance *all[] = {&source};
    const InhibitSection section = {.count = 1, .rules = &rule};
    mutes_follow_rules(mutes, &section, all, 1);
    ck_assert(mutes_hold(mutes, labels, NOW_MS));
    mutes_follow_rules(mutes, &(InhibitSection){0}, all, 1);
    ck_assert(!mutes_hold(mutes, labels, NOW_MS));
    Silence *silence =
        silence_restore(&(SilenceRow){"s",
                            "{\"id\":\"s\",\"matchers\":[{\"name\":\"service\",\"value\":\"front\",\"isRegex\":"
                            "false}],\"startsAt\":\"1970-01-20T16:13:20Z\",\"endsAt\":\"1970-01-20T17:13:20Z\","
                            "\"updatedAt\":\"1970-01-20T16:13:20Z\",\"createdBy\":\"a\",\"comment\":\"c\"}",
                            NOW_MS, NOW_MS + 3600000},
            NULL);
    ck_assert_ptr_nonnull(silence);
    silences_add(mutes_silences(mutes), silence);
    ck_assert(mutes_hold(mutes, labels, NOW_MS) && mutes_hold(mutes, labels, NOW_MS + 3599999));
    ck_assert(!mutes_hold(mutes, labels, NOW_MS + 3600000) && !mutes_hold(mutes, labels, NOW_MS - 1));
    matchers_free(rule.source);
    matchers_free(rule.target);
    labels_free(source.labels);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, callers_are_found, 0, COUNT_OF(callers));
    tcase_add_loop_test(tcase, a_callee_holds_its_callers, 0, COUNT_OF(alerts));
    tcase_add_test(tcase, silences_and_rules_hold);
}

int main(void) { return run_tests("mutes", fill); }
