/* Alarms on events as configured: inline, of rule files, and of correlations; what the selectors say, and the words. */
#include "sources/cloudtrail.h"

#include "../run.h"
#include "alarms/alarm.h"
#include "base/alloc.h"
#include "base/json.h"
#include "sources/poll_section.h"
#include "sources/rule_files.h"
#include "sources/sigma_section.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void write_file(const char *folder, const char *name, const char *text) {
    OWN(text) char *path = text_format("%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void remove_file(const char *folder, const char *name) {
    OWN(text) char *path = text_format("%s/%s", folder, name);
    ck_assert_int_eq(remove(path), 0);
}

/* `config` and `rules` as tocsin.yaml and rules.yml in a folder of their own. */
static Snapshot *load(const char *config, const char *rules, char **ret_lines) {
    static const SectionDescriptor *const sections[] = {
        &aws_section, &poll_section, &sigma_section, &packs_section, &alarms_section, NULL};
    static const SnapshotSchema schema = {sections, NULL};
    char folder[] = "/tmp/tocsin-test-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    write_file(folder, "tocsin.yaml", config);
    write_file(folder, "rules.yml", rules);
    OWN(text) char *path = text_format("%s/tocsin.yaml", folder);
    OWN(problems) Problems *problems = problems_new();
    Snapshot *snapshot = snapshot_load(&schema, path, true, problems);
    remove_file(folder, "tocsin.yaml");
    remove_file(folder, "rules.yml");
    ck_assert_int_eq(rmdir(folder), 0);
    size_t length;
    FILE *out = open_memstream(ret_lines, &length);
    problems_print(problems, out);
    fclose(out);
    return snapshot;
}

static Snapshot *good(const char *config, const char *rules) {
    char *lines;
    Snapshot *snapshot = load(config, rules, &lines);
    ck_assert_msg(!*lines, "%s", lines);
    free(lines);
    return snapshot;
}

static const EventSelector *selector_of(const Snapshot *snapshot, const char *name) {
    const Alarm *alarm = alarm_find(snapshot, name);
    ck_assert_msg(alarm != NULL, "%s", name);
    ck_assert_ptr_eq(alarm->source, &cloudtrail_source);
    return alarm->selector;
}

#define HEAD "aws: {region: eu-west-1}\nsigma: {rules: rules.yml, timespan: 15m}\n"
#define RULE(title, more) "title: " title "\n" more "detection: {s: {eventName: StopLogging}, condition: s}\n"

START_TEST(an_inline_alarm) {
    OWN(snapshot)
    Snapshot *snapshot = good(HEAD "alarms:\n"
                                   "  - {name: a, events: {detection: {s: {eventName: StopLogging}, condition: s}}}\n"
                                   "  - {name: b, events: {detection: {s: {eventName: DeleteTrail}, condition: s}, "
                                   "group-by: [awsRegion, userName], "
                                   "timespan: 2m, count: {gt: 2, lte: 9}, first_seen: {key: awsRegion}}}\n",
        RULE("of a file", ""));
    const EventSelector *a = selector_of(snapshot, "a"), *b = selector_of(snapshot, "b");
    ck_assert_ptr_nonnull(a->set);
    ck_assert_ptr_eq(a->set, b->set); /* one set a snapshot */
    ck_assert_uint_ne(a->number, b->number);
    ck_assert_str_eq(a->rule->title, "a");
    ck_assert_ptr_null(a->correlation);
    ck_assert_int_eq(a->timespan_s, 900);
    ck_assert(count_meets(&a->count, 1) && !count_meets(&a->count, 0));
    ck_assert_uint_eq(a->part_count, 1);
    ck_assert_uint_eq(a->parts[0].rule, a->number);
    ck_assert_uint_eq(a->first_seen.key.count, 0);
    ck_assert_int_eq(b->timespan_s, 120);
    ck_assert(!count_meets(&b->count, 2) && count_meets(&b->count, 9) && !count_meets(&b->count, 10));
    ck_assert_uint_eq(b->group_count, 2);
    ck_assert_str_eq(b->group_names[1], "userName");
    ck_assert_str_eq(b->parts[0].group_fields[1], "userName");
    ck_assert_int_eq(b->first_seen.learn_s, 14 * 86400);
    ck_assert_int_eq(b->first_seen.forget_s, 90 * 86400);
    OWN(labels) Labels *one = cloudtrail_source.series(a);
    ck_assert(one && labels_count(one) == 0);
    ck_assert_ptr_null(cloudtrail_source.series(b));
    OWN(text) char *words = cloudtrail_source.describe(b, NULL);
    ck_assert_str_eq(words, "CloudTrail events of b > 2 <= 9 within 2m, by awsRegion, userName, never seen before");
}
END_TEST

START_TEST(a_rule_is_an_alarm) {
    OWN(snapshot)
    Snapshot *snapshot = good(HEAD,
        RULE("Logging was stopped",
            "id: 1-2\nlevel: high\nauthor: A\ndescription: D\ntags: [attack.t1562, attack.impact]\n"
            "references: [https://example.org/a, https://example.org/b]\nfalsepositives: [none, some]\n"));
    const Alarm *alarm = alarm_find(snapshot, "Logging was stopped");
    static const char *const annotations[][2] = {{"sigma_id", "1-2"},
        {"references", "https://example.org/a, https://example.org/b"}, {"tags", "attack.t1562, attack.impact"},
        {"falsepositives", "none, some"}, {"author", "A"}};
    ck_assert(alarm && alarm->enabled);
    ck_assert_str_eq(alarm->description, "D");
    ck_assert_int_eq(alarm->severity, SEVERITY_ERROR);
    ck_assert_uint_eq(alarm->annotations.count, COUNT_OF(annotations));
    for (size_t i = 0; i < COUNT_OF(annotations); i++) {
        ck_assert_str_eq(alarm->annotations.names[i], annotations[i][0]);
        ck_assert_str_eq(alarm->annotations.texts[i], annotations[i][1]);
    }
    ck_assert_int_eq(selector_of(snapshot, "Logging was stopped")->timespan_s, 900);
    OWN(json) json_t *rule = alarm_rule_json(alarm);
    ck_assert_str_eq(json_text(rule, "severity"), "error");
    ck_assert_str_eq(json_text(json_map(rule, "annotations"), "sigma_id"), "1-2");
    Watch *watches;
    const Alarm *const *alarms;
    ck_assert_uint_eq(alarm_watches(snapshot, &watches, &alarms), 2); /* here, and in the home region */
    ck_assert_str_eq(watches[1].region, "us-east-1");
    free(watches);
    free((void *)(uintptr_t)alarms);
}
END_TEST

START_TEST(a_correlation_of_correlations_is_refused) {
    OWN(text) char *lines = NULL;
    Snapshot *snapshot = load(HEAD,
        RULE("A", "name: a\n") "---\n"
                               "title: Some\nname: some\ncorrelation: {type: event_count, rules: [a], timespan: 5m, "
                               "condition: {gte: 2}}\n---\n"
                               "title: Often\ncorrelation: {type: event_count, rules: [some], timespan: 1h, condition: "
                               "{gte: 3}}\n",
        &lines);
    snapshot_free(snapshot);
    ck_assert_msg(
        strstr(lines, "rules.yml:9:1: error: `Often` correlates a correlation, which the daemon does not do (name"),
        "%s", lines);
}
END_TEST

START_TEST(correlations_are_written_out) {
    OWN(snapshot)
    Snapshot *snapshot = good(HEAD,
        RULE("A", "name: a\n") "---\n" RULE(
            "B", "name: b\n") "---\n"
                              "title: Both\nname: both\ncorrelation: {type: temporal, rules: [a, b], group-by: [who], "
                              "timespan: 5m, "
                              "aliases: {who: {a: userIdentity.arn, b: userName}}}\n---\n"
                              "title: Often\ncorrelation: {type: event_count, rules: [b, a], group-by: [who], "
                              "timespan: 1h, condition: "
                              "{gte: 3}, aliases: {who: {a: userIdentity.arn, b: sourceIPAddress}}}\n---\n"
                              "title: Values\ncorrelation: {type: value_count, rules: [a], timespan: 5m, condition: "
                              "{field: awsRegion, gt: "
                              "2}}\n");
    ck_assert_ptr_null(alarm_find(snapshot, "A")); /* only parts */
    const EventSelector *often = selector_of(snapshot, "Often");
    static const char *const fields[] = {"sourceIPAddress", "userIdentity.arn"};
    static const char *const rules[] = {"B", "A"};
    ck_assert_uint_eq(often->part_count, 2);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_str_eq(often->parts[i].group_fields[0], fields[i]);
        ck_assert_str_eq(sigma_set_rule(often->set, often->parts[i].rule)->title, rules[i]);
    }
    ck_assert_int_eq(often->timespan_s, 3600);
    ck_assert(count_meets(&often->count, 3) && !count_meets(&often->count, 2));
    ck_assert_str_eq(often->group_names[0], "who");
    const EventSelector *values = selector_of(snapshot, "Values");
    ck_assert_str_eq(values->correlation->field, "awsRegion");
    OWN(labels) Labels *one = cloudtrail_source.series(values);
    ck_assert_ptr_nonnull(one);
    OWN(text) char *words = cloudtrail_source.describe(values, NULL);
    ck_assert_str_eq(words, "different values in CloudTrail events of Values > 2 within 5m");
}
END_TEST

/* One line of what is wrong with a configuration and a rule file. */
static const struct Bad {
    const char *config, *rules, *line;
} bad[] = {
    {HEAD "alarms: [{name: A, events: {detection: {s: {a: b}, condition: s}}}]\n", RULE("A", ""),
        "rules.yml:1:1: error: the alarm `A` exists already, at"},
    {HEAD, RULE("A", "") "---\n" RULE("A", ""), "rules.yml:4:1: error: the alarm `A` exists already, at"},
    {HEAD, RULE("\"A\\tB\"", ""), "rules.yml:1:1: error: the title `A\\x09B` cannot be an alarm's name"},
    {HEAD, RULE("A", "level: hihg\n"), "rules.yml:2:8: error: A: `level` cannot be `hihg`"},
    {HEAD, "", "rules.yml:1:1: error: there is no rule in the file"},
    {"sigma: {rules: rules.yml, placeholders: [a]}\n", RULE("A", ""), "error: `placeholders` must be a map"},
    {HEAD "packs: [cis-cloudtrail]\n", RULE("A", ""),
        "tocsin.yaml:3:9: error: there is no pack `cis-cloudtrail` (none is installed)"},
    {HEAD "alarms: 7\n", RULE("A", ""), "tocsin.yaml:3:9: error: `alarms` must be a list"},
};

START_TEST(wrong_ones_are_told) {
    char *lines;
    setenv("TOCSIN_PACK_DIR", "/nowhere", 1);
    snapshot_free(load(bad[_i].config, bad[_i].rules, &lines));
    ck_assert_msg(strstr(lines, bad[_i].line) != NULL, "%s", lines);
    free(lines);
}
END_TEST

START_TEST(console_links) {
    OWN(text) char *event = cloudtrail_event_url("eu-west-1", "3a-b/c");
    ck_assert_str_eq(
        event, "https://eu-west-1.console.aws.amazon.com/cloudtrailv2/home?region=eu-west-1#/events/3a-b%2Fc");
    OWN(text) char *history = cloudtrail_source.console_url(NULL, NULL, "cn-north-1", 1767322800000);
    ck_assert_str_eq(history,
        "https://cn-north-1.console.amazonaws.cn/cloudtrailv2/home?region=cn-north-1#/events?StartTime="
        "2026-01-02T02:30:00.000Z&EndTime=2026-01-02T03:05:00.000Z");
}
END_TEST

static void count_file(void *ctx, const char *file, const char *text, size_t length) {
    ck_assert(*file && strlen(text) == length);
    ++*(size_t *)ctx;
}

START_TEST(folders_have_bounds) {
    char folder[] = "/tmp/tocsin-test-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    OWN(text) char *deep = text_copy(folder);
    char *folders[RULE_FOLDER_DEPTH_MAX + 1];
    for (size_t i = 0; i <= RULE_FOLDER_DEPTH_MAX; i++) {
        char *next = text_format("%s/d", deep);
        free(deep);
        deep = next;
        ck_assert_int_eq(mkdir(deep, 0700), 0);
        write_file(deep, "r.yml", "x");
        folders[i] = text_copy(deep);
    }
    OWN(text) char *loop = text_format("%s/loop", folder);
    ck_assert_int_eq(symlink(folder, loop), 0);
    write_file(folder, "not-a-rule.txt", "x");
    write_file(folder, ".yml", "x");
    OWN(arena) Arena *arena = arena_new();
    OWN(problems) Problems *problems = problems_new();
    size_t count = 0;
    RuleFiles files = {arena, problems, count_file, &count, 0};
    ck_assert(!rule_files_read(&files, folder, (Place){"tocsin.yaml", 1, 1}));
    ck_assert_uint_eq(count, RULE_FOLDER_DEPTH_MAX);
    ck_assert_uint_eq(problems_errors(problems), 1); /* the ninth folder */
    files.count = RULE_FILES_MAX;
    ck_assert(!rule_files_read(&files, folders[0], (Place){"tocsin.yaml", 1, 1}));
    ck_assert_uint_eq(count, RULE_FOLDER_DEPTH_MAX);
    for (size_t i = RULE_FOLDER_DEPTH_MAX + 1; i--;) {
        remove_file(folders[i], "r.yml");
        ck_assert_int_eq(rmdir(folders[i]), 0);
        free(folders[i]);
    }
    remove_file(folder, "loop");
    remove_file(folder, "not-a-rule.txt");
    remove_file(folder, ".yml");
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, an_inline_alarm);
    tcase_add_test(tcase, a_rule_is_an_alarm);
    tcase_add_test(tcase, a_correlation_of_correlations_is_refused);
    tcase_add_test(tcase, correlations_are_written_out);
    tcase_add_loop_test(tcase, wrong_ones_are_told, 0, (int)COUNT_OF(bad));
    tcase_add_test(tcase, console_links);
    tcase_add_test(tcase, folders_have_bounds);
}

int main(void) { return run_tests("event_selector", fill); }
