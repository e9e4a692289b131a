/* The shipped packs against cloudtrail-detections.yaml, whose examples each of them must meet or not, and against real
 * recorded events, where they are there. */
#include "sigma_world.h"

#include "base/file.h"
#include "rules/sigma_load.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static json_t *json_of(const Node *node) {
    if (node->kind == NODE_SCALAR) {
        double number;
        if (node_is_null(node)) return json_null();
        if (!node->quoted && !strcmp(node->text, "true")) return json_true();
        if (!node->quoted && !strcmp(node->text, "false")) return json_false();
        if (!node->quoted && !strpbrk(node->text, ".") && sscanf(node->text, "%lf", &number) == 1 &&
            !node->text[strspn(node->text, "0123456789")])
            return json_integer((json_int_t)number);
        return json_string(node->text);
    }
    json_t *value = node->kind == NODE_MAP ? json_object() : json_array();
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == NODE_MAP)
            json_object_set_new(value, node->entries[i].key->text, json_of(node->entries[i].value));
        else
            json_array_append_new(value, json_of(node->items[i]));
    }
    return value;
}

static const Node *yaml_of(Arena *arena, const char *path) {
    Error err = {0};
    OWN(problems) Problems *all = problems_new();
    size_t length = 0;
    OWN(text) char *text = file_read(path, YAML_FILE_MAX, &length, NULL, &err);
    ck_assert_msg(text != NULL, "%s: %s", path, err.text);
    const Node *node = node_parse(arena, arena, path, text, length, all);
    OWN(text) char *lines = problem_lines(all);
    ck_assert_msg(node && !*lines, "%s", lines);
    return node;
}

/* Both packs, and the alarms that Sigma has no words for, each under its name. */
static SigmaSet *packs(Arena *arena) {
    static const SigmaOptions options = {.product = "aws"};
    OWN(problems) Problems *all = problems_new();
    SigmaBuilder *builder = sigma_builder_new(&options, all);
    size_t files = 0;
    sigma_load(builder, PACKS "/cis-cloudtrail", (Place){"-", 1, 1}, all, &files);
    ck_assert_uint_eq(files, 1);
    sigma_load(builder, PACKS "/cloudtrail-extra/", (Place){"-", 1, 1}, all, &files);
    ck_assert_uint_eq(files, 4);
    const Node *alarms = node_get(yaml_of(arena, PACKS "/first-seen-and-silence.yaml"), "alarms");
    for (size_t i = 0; i < alarms->count; i++) {
        uint32_t number;
        sigma_builder_detection(builder, node_get(alarms->items[i], "name")->text,
            node_get(node_get(alarms->items[i], "events"), "detection"), &number);
    }
    SigmaSet *set = sigma_builder_finish(builder);
    OWN(text) char *lines = problem_lines(all);
    ck_assert_str_eq(lines, "");
    return set;
}

/* By a rule's name, or an alarm's. What is counted goes by the name of the rule for one event. */
static uint32_t number_of(const SigmaSet *set, const char *id) {
    OWN(text) char *one = text_format("%s-event", id);
    for (uint32_t i = 0; i < sigma_set_count(set); i++) {
        const SigmaRule *rule = sigma_set_rule(set, i);
        const char *name = rule->name ? rule->name : rule->title;
        if (!rule->correlation && (!strcmp(name, id) || !strcmp(name, one))) return i;
    }
    ck_abort_msg("no rule is called %s", id);
}

static bool meets(const SigmaSet *set, SigmaScratch *scratch, const json_t *event, uint32_t number) {
    const uint32_t *numbers;
    const size_t count = sigma_set_match(set, event, scratch, &numbers);
    for (size_t i = 0; i < count; i++)
        if (numbers[i] == number) return true;
    return false;
}

static size_t check_examples(
    const SigmaSet *set, SigmaScratch *scratch, const Node *detection, const char *list, bool want) {
    const char *id = node_get(detection, "id")->text;
    const Node *events = node_get(detection, list);
    for (size_t i = 0; i < events->count; i++) {
        OWN(json) json_t *event = json_of(events->items[i]);
        OWN(text) char *text = json_write(event);
        ck_assert_msg(meets(set, scratch, event, number_of(set, id)) == want, "%s, %s: %s", id, list, text);
    }
    return events->count;
}

START_TEST(each_detection_meets_its_examples_alone) {
    OWN(arena) Arena *arena = arena_new();
    OWN(sigma_set) SigmaSet *set = packs(arena);
    OWN(sigma_scratch) SigmaScratch *scratch = sigma_scratch_new(set);
    const Node *detections = node_get(yaml_of(arena, DETECTIONS), "detections");
    ck_assert_uint_eq(detections->count, 64);
    for (size_t i = 0; i < detections->count; i++) {
        ck_assert_uint_gt(check_examples(set, scratch, detections->items[i], "positive", true), 0);
        ck_assert_uint_gt(check_examples(set, scratch, detections->items[i], "negative", false), 0);
    }
}
END_TEST

START_TEST(levels_titles_and_counts_are_those_of_the_list) {
    OWN(arena) Arena *arena = arena_new();
    OWN(sigma_set) SigmaSet *set = packs(arena);
    const Node *detections = node_get(yaml_of(arena, DETECTIONS), "detections");
    ck_assert_uint_eq(sigma_set_count(set), 67); /* three are counted: a rule and a correlation each */
    for (size_t i = 0; i < detections->count; i++) {
        const Node *stateful = node_get(detections->items[i], "stateful");
        const char *id = node_get(detections->items[i], "id")->text;
        uint32_t number = number_of(set, id);
        if (stateful && strcmp(node_get(stateful, "kind")->text, "count")) continue; /* an alarm: no level of Sigma's */
        if (stateful) {
            ck_assert(sigma_set_rule(set, number)->silent);
            number++;
            const SigmaCorrelation *correlation = sigma_set_rule(set, number)->correlation;
            ck_assert_int_eq(correlation->timespan_s, atoll(node_get(stateful, "window_seconds")->text));
            ck_assert_int_eq(correlation->condition.bound[COUNT_GTE], atoll(node_get(stateful, "threshold")->text));
            ck_assert_str_eq(correlation->group_by[0], node_get(stateful, "group_by")->items[0]->text);
            const Node *distinct = node_get(stateful, "distinct");
            ck_assert(distinct ? !strcmp(correlation->field, distinct->text) : !correlation->field);
        }
        const SigmaRule *rule = sigma_set_rule(set, number);
        ck_assert_str_eq(rule->name, id);
        ck_assert_str_eq(rule->title, node_get(detections->items[i], "title")->text);
        ck_assert_str_eq(sigma_level_word(rule->level), node_get(detections->items[i], "severity")->text);
        const Node *cis = node_get(node_get(detections->items[i], "cis_reference"), "v1.4.0");
        if (cis && !node_is_null(cis)) ck_assert_msg(strstr(rule->description, cis->text) != NULL, "%s", id);
    }
}
END_TEST

/* --- files and folders --- */

static char *problems_of_path(const char *path, size_t *ret_rules) {
    static const SigmaOptions options;
    OWN(problems) Problems *all = problems_new();
    SigmaBuilder *builder = sigma_builder_new(&options, all);
    sigma_load(builder, path, (Place){"conf", 3, 4}, all, NULL);
    OWN(sigma_set) SigmaSet *set = sigma_builder_finish(builder);
    *ret_rules = sigma_set_count(set);
    return problem_lines(all);
}

static void put(const char *folder, const char *name, const char *text) {
    OWN(text) char *path = text_format("%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

START_TEST(folders_are_read_in_order_and_bounded) {
    char folder[] = "/tmp/sigma-load-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    size_t rules;
    OWN(text)
    char *empty = problems_of_path(folder, &rules),
         *want_empty = text_format(
             "conf:3:4: error: rules `%s` holds no *.yml or *.yaml (name a rule file, or a folder with some)\n",
             folder);
    ck_assert_str_eq(empty, want_empty);
    OWN(text)
    char *inner = text_format("%s/inner", folder), *loop = text_format("%s/inner/loop", folder),
         *missing = text_format("%s/missing", folder);
    ck_assert(!mkdir(inner, 0700) && !symlink("..", loop));
    put(inner, "b.yaml", "title: B\ndetection: {s: {a: b}, condition: s}\n");
    put(folder, "a.yml", "title: A\n");
    put(folder, ".hidden.yml", "{");
    put(folder, "README.md", "{");
    OWN(text)
    char *lines = problems_of_path(folder, &rules),
         *want = text_format(
             "%s/a.yml:1:1: error: A: there is neither `detection` nor `correlation` (is this a Sigma rule?)\n",
             folder);
    ck_assert_str_eq(lines, want);
    ck_assert_uint_eq(rules, 1);
    OWN(text) char *none = problems_of_path(missing, &rules);
    ck_assert_ptr_nonnull(strstr(none, "No such file"));
    OWN(text) char *remove = text_format("rm -r %s", folder);
    ck_assert_int_eq(system(remove), 0);
}
END_TEST

/* --- real events --- */

static const char *const recorded[] = {
    "invictus-2023-07-10", "stratus-detonations", "panther-rule-tests", "stackstate-changes", "aws-guide-examples"};

/* What a label says that an event is, and what of the packs must say so too. */
static const struct Expected {
    const char *key, *label, *rule;
    bool exact; /* all that the label's own rule matches, and nothing that it does not */
} expected[] = {
    {"technique", "aws.defense-evasion.cloudtrail-event-selectors", "trail-selectors-narrowed"},
    {"technique", "aws.defense-evasion.vpc-remove-flow-logs", "flow-logs-deleted"},
    {"technique", "aws.exfiltration.ec2-security-group-open-port-22-ingress", "cis-security-group-change"},
    {"technique", "aws.persistence.iam-create-admin-user", "admin-policy-attached"},
    {"technique", "aws.persistence.iam-create-admin-user", "access-key-created-for-other"},
    {"technique", "aws.persistence.iam-create-user-login-profile", "login-profile-for-other"},
    {"technique", "aws.privilege-escalation.iam-update-user-login-profile", "login-profile-for-other"},
    {"technique", "aws.persistence.iam-backdoor-role", "policy-default-version-or-boundary"},
    {"technique", "aws.credential-access.ec2-get-password-data", "cis-unauthorized-api-call"},
    {"technique", "aws.credential-access.secretsmanager-batch-retrieve-secrets", "secret-read-burst-event"},
    {"technique", "aws.credential-access.ssm-retrieve-securestring-parameters", "secret-read-burst-event"},
    {"rule", "AWS.CloudTrail.RootAccessKeyCreated", "root-access-key-created", true},
    {"rule", "AWS.CloudTrail.AttemptToLeaveOrg", "leave-organization", true},
    {"rule", "AWS.ConfigService.DisabledDeleted", "cis-config-change"},
    {"rule", "AWS.Console.LoginWithoutMFA", "cis-console-login-no-mfa"},
    {"rule", "AWS.Console.RootLogin", "root-console-login", true},
    {"rule", "AWS.EC2.GatewayModified", "cis-network-gateway-change"},
    {"rule", "AWS.EC2.NetworkACLModified", "cis-nacl-change"},
    {"rule", "AWS.EC2.SecurityGroupModified", "cis-security-group-change"},
    {"rule", "AWS.EC2.VPCModified", "cis-vpc-change"},
    {"rule", "AWS.IAM.PolicyModified", "cis-iam-policy-change"},
    {"rule", "AWS.IAM.AccessKeyCompromised", "exposed-key-quarantine", true},
    {"rule", "AWS.IAM.AttachAdminRolePolicy", "admin-policy-attached", true},
    {"rule", "AWS.RDS.SnapshotShared", "rds-snapshot-shared", true},
    {"rule", "AWS.S3.BucketPolicyModified", "cis-s3-bucket-policy-change"},
    {"rule", "AWS.S3.DeletePublicAccessBlock", "s3-public-access-block-removed", true},
    {"rule", "AWS.Suspicious.SAML.Activity", "federation-provider-changed"},
    {"rule", "AWS.CloudTrail.RootPasswordChanged", "root-password-or-mfa-changed", true},
};

static json_t *line_json(const char *line, size_t length) {
    Error err = {0};
    return json_read(line, length, &err);
}

typedef struct Tallies {
    size_t events, matches, read_only_writes;
    size_t met[COUNT_OF(expected)], labelled[COUNT_OF(expected)], wrongly[COUNT_OF(expected)];
} Tallies;

static bool is_met(const SigmaSet *set, const char *name, const uint32_t *numbers, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const SigmaRule *rule = sigma_set_rule(set, numbers[i]);
        if (rule->name && !strcmp(rule->name, name)) return true;
    }
    return false;
}

static void tally_labels(Tallies *t, const SigmaSet *set, const json_t *label, const uint32_t *numbers, size_t count) {
    for (size_t e = 0; e < COUNT_OF(expected); e++) {
        const char *text = json_text(label, expected[e].key);
        if (!text || strcmp(text, expected[e].label)) continue;
        const bool wanted = json_flag(label, "expected", true), met = is_met(set, expected[e].rule, numbers, count);
        t->labelled[e] += wanted;
        t->met[e] += wanted && met;
        t->wrongly[e] += !wanted && met;
    }
}

static bool read_line(FILE *file, char **line, size_t *room, json_t **ret) {
    const ssize_t got = file ? getline(line, room, file) : -1;
    if (got < 0) return false;
    *ret = line_json(*line, (size_t)got);
    return true;
}

static void run_file(Tallies *t, const SigmaSet *set, SigmaScratch *scratch, const char *name) {
    OWN(text)
    char *path = text_format(RECORDED "/%s.jsonl", name), *labels_path = text_format(RECORDED "/%s.labels.jsonl", name);
    FILE *file = fopen(path, "r"), *labels = fopen(labels_path, "r");
    char *line = NULL, *label_line = NULL;
    size_t room = 0, label_room = 0;
    ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
    json_t *event, *label;
    while (read_line(file, &line, &room, &event)) {
        const uint32_t *numbers;
        if (!read_line(labels, &label_line, &label_room, &label)) label = NULL;
        const size_t count = sigma_set_match(set, event, scratch, &numbers);
        t->events++;
        t->matches += count;
        tally_labels(t, set, label, numbers, count);
        for (size_t i = 0; i < count && json_flag(event, "readOnly", false); i++) {
            if (!sigma_rule_reads(set, numbers[i])) t->read_only_writes++;
        }
        json_decref(event);
        json_decref(label);
    }
    free(line);
    free(label_line);
    fclose(file);
    if (labels) fclose(labels);
}

START_TEST(recorded_events_meet_what_their_labels_say) {
    OWN(arena) Arena *arena = arena_new();
    OWN(sigma_set) SigmaSet *set = packs(arena);
    OWN(sigma_scratch) SigmaScratch *scratch = sigma_scratch_new(set);
    Tallies t = {0};
    for (size_t i = 0; i < COUNT_OF(recorded); i++) run_file(&t, set, scratch, recorded[i]);
    ck_assert_uint_eq(t.events, 1448 + 142 + 227 + 43 + 11);
    ck_assert_uint_gt(t.matches, 0);
    ck_assert_uint_eq(t.read_only_writes, 0); /* what was called a rule for writes met no read-only event */
    for (size_t e = 0; e < COUNT_OF(expected); e++) {
        const bool exact = t.met[e] == t.labelled[e] && !t.wrongly[e];
        ck_assert_msg(t.met[e] > 0 && (exact || !expected[e].exact), "%s: %zu of %zu meet %s, %zu wrongly",
            expected[e].label, t.met[e], t.labelled[e], expected[e].rule, t.wrongly[e]);
    }
    ck_assert_uint_eq(sigma_scratch_limits(scratch).regex, 0);
}
END_TEST

static bool recorded_there(void) {
    if (!access(RECORDED "/invictus-2023-07-10.jsonl", R_OK)) return true;
    fprintf(stderr, "skipped: the recorded events are not in " RECORDED "\n");
    return false;
}

static void fill(TCase *tcase) {
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, each_detection_meets_its_examples_alone);
    tcase_add_test(tcase, levels_titles_and_counts_are_those_of_the_list);
    tcase_add_test(tcase, folders_are_read_in_order_and_bounded);
    if (recorded_there()) tcase_add_test(tcase, recorded_events_meet_what_their_labels_say);
}

int main(void) { return run_tests("sigma packs", fill); }
