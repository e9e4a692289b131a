/* Correlation rules: what is wrong with one, and what completes one. */
#include "rules/sigma_correlator.h"

#include "sigma_world.h"

#define BASE \
    "title: A\nname: a\nid: id-a\ndetection: {s: {n: a}, condition: s}\n---\n" \
    "title: B\nname: b\ndetection: {s: {n: b}, condition: s}\n---\n"

static const struct Wrong {
    const char *correlation, *lines;
} wrong[] = {
    {"correlation: []\n", "r.yml:11:14: error: C: `correlation` must be a map (type, rules, timespan, condition)\n"},
    {"correlation: {}\n",
        "r.yml:11:14: error: C: the correlation has no `type` (event_count, value_count, temporal or "
        "temporal_ordered)\n"
        "r.yml:11:14: error: C: the correlation has no `rules` (names or ids of rules)\n"
        "r.yml:11:14: error: C: the correlation has no `timespan` (such as `timespan: 5m`)\n"},
    {"correlation: {type: event_cuont, rules: [], timespan: 5x, condition: {gtr: 1}, group_by: a}\n",
        "r.yml:11:21: error: C: unknown correlation type `event_cuont` (did you mean `event_count`?)\n"
        "r.yml:11:41: error: C: `rules` must name 1 to 64 (a list of them)\n"
        "r.yml:11:55: error: C: `5x` is no time span (from 1s to 90d, such as 30s, 5m, 1h, 1d)\n"
        "r.yml:11:71: error: C: unknown comparison `gtr` (did you mean `gte`?)\n"
        "r.yml:11:80: error: C: unknown key of a correlation `group_by` (did you mean `group-by`?)\n"},
    {"correlation: {type: value_avg, rules: a, timespan: 5m, condition: a and b}\n",
        "r.yml:11:21: error: C: the correlation type `value_avg` is not supported (event_count, value_count, temporal "
        "or "
        "temporal_ordered)\n"
        "r.yml:11:67: error: C: a correlation's condition must be a map; one in words is not supported (such as "
        "`condition: "
        "{gte: 3}`)\n"},
    {"correlation: {type: event_count, rules: a, timespan: 5m}\n",
        "r.yml:11:14: error: C: the correlation has no `condition` (such as `condition: {gte: 3}`)\n"},
    {"correlation: {type: value_count, rules: a, timespan: 5m, condition: {gte: many}}\n",
        "r.yml:11:75: error: C: `gte` cannot be `many` (a whole number from 0 on)\n"},
    {"correlation: {type: value_count, rules: a, timespan: 5m, condition: {gte: 3}}\n",
        "r.yml:11:14: error: C: the correlation has no `condition.field` (value_count counts the values of a field)\n"},
    {"correlation: {type: event_count, rules: a, timespan: 5m, condition: {field: x}}\n",
        "r.yml:11:69: error: C: the condition compares with nothing (such as `{gte: 3}`)\n"},
    {"correlation: {type: temporal, rules: [a], timespan: 5m}\n",
        "r.yml:11:38: error: C: a temporal correlation of one rule (name two rules or more)\n"},
    {"correlation: {type: temporal, rules: [a, bb, nothing], timespan: 5m}\n",
        "r.yml:11:42: error: C: the correlation's rule `bb` does not exist (did you mean `b`?)\n"
        "r.yml:11:46: error: C: the correlation's rule `nothing` does not exist (the `name` or `id` of a rule that is "
        "loaded "
        "too)\n"},
    {"correlation: {type: temporal, rules: [a, b], timespan: 5m, group-by: ip, aliases: {ip: {a: x, bb: y}}, generate: "
     "maybe}\n",
        "r.yml:11:114: error: C: `generate` is true or false (true or false)\n"},
    {"correlation: {type: temporal, rules: [a, b], timespan: 5m, group-by: ip, aliases: {ip: {a: x, bb: y}}}\n",
        "r.yml:11:95: error: C: the alias `ip` for `bb` is not used (name an alias of `group-by`, and a rule of "
        "`rules`)\n"},
    {"correlation: {type: temporal, rules: [a, b], timespan: 5m, aliases: [x]}\n",
        "r.yml:11:69: error: C: `aliases` must map an alias to the field of each rule (such as `aliases: {ip: {rule_a: "
        "sourceIPAddress, rule_b: requestParameters.ip}}`)\n"},
    {"name: c\ncorrelation: {type: temporal, rules: [a, c], timespan: 5m}\n",
        "r.yml:10:1: error: C: the correlation refers to itself in the end, or through more than 16 others (let each "
        "refer to "
        "rules below it only)\n"},
    {"detection: {s: {a: b}, condition: s}\ncorrelation: {type: temporal, rules: [a, b], timespan: 5m}\n",
        "r.yml:12:14: error: C: `detection` and `correlation` stand in one document (a document of its own, behind a "
        "line "
        "`---`)\n"},
};

START_TEST(problems_are_all_told) {
    OWN(text) char *rules = text_format(BASE "title: C\n%s", wrong[_i].correlation);
    char *lines;
    OWN(sigma_set) SigmaSet *set = set_of(rules, NULL, &lines);
    ck_assert_str_eq(lines, wrong[_i].lines);
    sigma_correlator_free(sigma_correlator_new(set, 0)); /* and nothing trips over it */
    free(lines);
}
END_TEST

/* Events as `SECONDS NAME GROUP`, and for each `+` where the correlation fires. */
static const struct Story {
    const char *rule, *events, *want;
} stories[] = {
    {"type: event_count, rules: a, group-by: g, timespan: 5m, condition: {gte: 2}", "0 a x,1 a y,2 a x,3 b x,400 a x",
        "--+--"},
    {"type: event_count, rules: [a, b], group-by: g, timespan: 5m, condition: {gte: 2}", "0 a x,1 b x", "-+"},
    {"type: event_count, rules: id-a, timespan: 5m, condition: {gt: 1, lt: 3}", "0 a x,1 a y,2 a z", "-+-"},
    {"type: event_count, rules: a, timespan: 5m, condition: {lt: 1}", "0 a x,1 a y",
        "--"}, /* silence is not told by an event */
    {"type: event_count, rules: a, timespan: 5m, condition: {lt: 5}", "0 a x", "-"},
    {"type: value_count, rules: a, timespan: 5m, condition: {field: g, gte: 2}", "0 a x,1 a x,2 a y,3 a x", "--++"},
    {"type: value_count, rules: a, timespan: 5m, condition: {field: none, gte: 1}", "0 a x", "-"},
    {"type: temporal, rules: [a, b], group-by: g, timespan: 5m", "0 b x,1 a y,2 a x", "--+"},
    {"type: temporal_ordered, rules: [a, b], group-by: g, timespan: 5m", "5 b x,6 a x,7 b x,1 a x", "--++"},
    {"type: temporal, rules: [a, b], group-by: who, timespan: 5m, aliases: {who: {a: g, b: h}}", "0 a x,1 b q", "-+"},
    {"type: temporal, rules: [a, b], group-by: who, timespan: 5m, aliases: {who: {a: g, b: g}}", "0 a x,1 b q", "--"},
};

START_TEST(stories_fire) {
    const struct Story *story = &stories[_i];
    OWN(text) char *rules = text_format(BASE "title: C\nlevel: high\ncorrelation: {%s}\n", story->rule);
    OWN(sigma_set) SigmaSet *set = good_set(rules, NULL);
    OWN(sigma_scratch) SigmaScratch *scratch = sigma_scratch_new(set);
    OWN(sigma_correlator) SigmaCorrelator *correlator = sigma_correlator_new(set, 1800);
    OWN(text) char *copy = text_copy(story->events);
    char *rest = copy, got[16] = "";
    for (size_t i = 0; rest; i++) {
        long seconds;
        char name[8], group[8], id[8];
        ck_assert_int_eq(sscanf(strsep(&rest, ","), "%ld %7s %7s", &seconds, name, group), 3);
        snprintf(id, sizeof id, "%zu", i);
        OWN(json) json_t *event = json_pack("{s:s, s:s, s:s}", "n", name, "g", group, "h", "x");
        const uint32_t *numbers;
        const SigmaFired *fired;
        const size_t count = sigma_set_match(set, event, scratch, &numbers);
        const size_t fires = sigma_correlator_feed(correlator, event, seconds * 1000, id, numbers, count, &fired);
        ck_assert(fires <= 1 && (!fires || fired[0].number == 2));
        got[i] = fires ? '+' : '-';
    }
    ck_assert_msg(!strcmp(got, story->want), "%s: %s, not %s", story->events, got, story->want);
    ck_assert_ptr_nonnull(sigma_correlator_window(correlator, 2));
    sigma_correlator_prune(correlator, INT64_C(90000000000));
    ck_assert_uint_eq(event_window_members(sigma_correlator_window(correlator, 2)), 0);
}
END_TEST

START_TEST(parts_are_silent_unless_generated) {
    static const struct {
        const char *more;
        bool a, b;
    } want[] = {{"rules: [a], generate: false", true, false}, {"rules: [a, b], generate: true", false, false},
        {"rules: [a, b], generate: true}\n---\ntitle: D\ncorrelation: {type: event_count, timespan: 1h, condition: "
         "{gte: 2}, rules: a",
            false, false}};
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        OWN(text)
        char *rules = text_format(
            BASE "title: C\ncorrelation: {type: event_count, timespan: 1h, condition: {gte: 2}, %s}\n", want[i].more);
        OWN(sigma_set) SigmaSet *set = good_set(rules, NULL);
        ck_assert(sigma_set_rule(set, 0)->silent == want[i].a && sigma_set_rule(set, 1)->silent == want[i].b);
        ck_assert(!sigma_set_rule(set, 2)->silent);
    }
}
END_TEST

/* Failed sign-ins, then one that succeeds: a correlation over a correlation, defined before what it refers to. */
START_TEST(chains) {
    OWN(sigma_set)
    SigmaSet *set = good_set(
        "title: Both\ncorrelation: {type: temporal_ordered, rules: [many, b], group-by: g, timespan: 1h}\n---\n"
        "title: Many\nname: many\ncorrelation: {type: event_count, rules: a, group-by: g, timespan: 5m, condition: "
        "{gte: 2}}\n---\n" BASE "title: Last\ndetection: {s: {n: z}, condition: s}\n",
        NULL);
    OWN(sigma_correlator) SigmaCorrelator *correlator = sigma_correlator_new(set, 0);
    OWN(json) json_t *event = json_pack("{s:s}", "g", "x");
    const uint32_t a = 2, b = 3;
    const SigmaFired *fired;
    ck_assert_uint_eq(sigma_correlator_feed(correlator, event, 0, "1", &b, 1, &fired), 0);
    ck_assert_uint_eq(sigma_correlator_feed(correlator, event, 1000, "2", &a, 1, &fired), 0);
    ck_assert_uint_eq(sigma_correlator_feed(correlator, event, 2000, "3", &a, 1, &fired), 1);
    ck_assert_str_eq(sigma_set_rule(set, fired[0].number)->title, "Many");
    ck_assert_int_eq(fired[0].count, 2);
    ck_assert_str_eq(fired[0].group, "x");
    ck_assert_uint_eq(sigma_correlator_feed(correlator, event, 3000, "4", &b, 1, &fired), 1);
    ck_assert_str_eq(sigma_set_rule(set, fired[0].number)->title, "Both");
    ck_assert_uint_eq(sigma_correlator_feed(correlator, event, 3000, "4", &b, 1, &fired), 0); /* read again */
    ck_assert(sigma_set_rule(set, 1)->silent);
}
END_TEST

START_TEST(older_counts_are_correlations) {
    static const struct {
        const char *count;
        CorrelationKind kind;
        CountWord word;
        int64_t bound;
    } want[] = {{"count() by g > 5", CORRELATE_EVENT_COUNT, COUNT_GT, 5},
        {"count() >= 2", CORRELATE_EVENT_COUNT, COUNT_GTE, 2},
        {"count(eventName) by g, h.i < 3", CORRELATE_VALUE_COUNT, COUNT_LT, 3},
        {"COUNT(x) BY g <= 3", CORRELATE_VALUE_COUNT, COUNT_LTE, 3},
        {"count() by g = 3", CORRELATE_EVENT_COUNT, COUNT_EQ, 3}};
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        OWN(text)
        char *rule =
            text_format("title: T\nid: i\nlevel: low\ndetection:\n  s: {a: b}\n  timeframe: 15m\n  condition: s | %s\n",
                want[i].count);
        OWN(sigma_set) SigmaSet *set = good_set(rule, NULL);
        ck_assert_uint_eq(sigma_set_count(set), 2);
        ck_assert(sigma_set_rule(set, 0)->silent && !sigma_set_rule(set, 0)->id);
        const SigmaRule *told = sigma_set_rule(set, 1);
        ck_assert_str_eq(told->id, "i");
        ck_assert_int_eq(told->correlation->kind, want[i].kind);
        ck_assert_int_eq(told->correlation->timespan_s, 900);
        ck_assert(told->correlation->condition.given[want[i].word]);
        ck_assert_int_eq(told->correlation->condition.bound[want[i].word], want[i].bound);
        ck_assert_uint_eq(told->correlation->rules[0], 0);
    }
}
END_TEST

START_TEST(left_out_parts_take_the_correlation_along) {
    const SigmaOptions aws = {.product = "aws"};
    OWN(sigma_set)
    SigmaSet *set =
        good_set("title: W\nname: w\nlogsource: {product: windows}\ndetection: {s: {a: b}, condition: s}\n---\n"
                 "title: C\ncorrelation: {type: event_count, rules: w, timespan: 5m, condition: {gte: 2}}\n",
            &aws);
    ck_assert_ptr_null(sigma_set_rule(set, 0)->correlation);
    OWN(json) json_t *event = event_of("{\"a\": \"b\"}");
    OWN(sigma_scratch) SigmaScratch *scratch = sigma_scratch_new(set);
    const uint32_t *numbers;
    ck_assert_uint_eq(sigma_set_match(set, event, scratch, &numbers), 0);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, problems_are_all_told, 0, (int)COUNT_OF(wrong));
    tcase_add_loop_test(tcase, stories_fire, 0, (int)COUNT_OF(stories));
    tcase_add_test(tcase, parts_are_silent_unless_generated);
    tcase_add_test(tcase, chains);
    tcase_add_test(tcase, older_counts_are_correlations);
    tcase_add_test(tcase, left_out_parts_take_the_correlation_along);
}

int main(void) { return run_tests("sigma correlation", fill); }
