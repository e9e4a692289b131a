#include "aws/chain.h"
#include "aws/service.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/problems.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

static void write_file(const char *name, const char *text) {
    OWN(text) char *path = text_format("%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
}

static Snapshot *load(const char *text, Problems *problems) {
    static const SectionDescriptor *const sections[] = {&aws_section, NULL};
    static const SnapshotSchema schema = {sections, NULL};
    OWN(text) char *path = text_format("%s/tocsin.yaml", folder);
    write_file("tocsin.yaml", text);
    return snapshot_load(&schema, path, false, problems);
}

/* The environment of each case: no variable, two files in a folder of their own. */
static void clean(void) {
    static const char *const variables[] = {"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE",
        "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SNS", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_CA_BUNDLE"};
    for (size_t i = 0; i < COUNT_OF(variables); i++) unsetenv(variables[i]);
    OWN(text) char *config = text_format("%s/config", folder), *credentials = text_format("%s/credentials", folder);
    setenv("AWS_CONFIG_FILE", config, 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", credentials, 1);
    write_file("config", "");
    write_file("credentials", "");
}

#define ROLE "arn:aws:iam::111122223333:role/tocsin"

static const struct Wrong {
    const char *yaml, *want; /* a part of the problems */
} wrong[] = {
    {"{}\n", ":1:1: error: no region is known for account `default`"},
    {"aws: {region: Europe}\n", "`Europe` is no region"},
    {"aws: {region: eu-west-1, regio: x}\n", "region"},
    {"aws: {region: eu-west-1, budget_usd_per_month: 30}\n", "does not exist"},
    {"aws: {region: eu-west-1, endpoint_url: 'ftp://x'}\n", "must begin with https://"},
    {"aws: {region: eu-west-1, endpoint_url: 'https://u:p@x'}\n", "user name"},
    {"aws: {region: eu-west-1, endpoints: {sn: 'https://x'}}\n", "unknown service `sn`, did you mean `sns`"},
    {"aws: {region: eu-west-1, endpoints: {sns: x}}\n", "no address"},
    {"aws: {accounts: [{name: a}]}\n", "no region is known for account `a`"},
    {"aws: {region: eu-west-1, accounts: [{name: a}, {name: a}]}\n", "account `a` is there twice"},
    {"aws: {region: eu-west-1, accounts: [{regions: [eu-west-1]}]}\n", "`name` is missing"},
    {"aws: {region: eu-west-1, accounts: [{name: a, regions: [all]}]}\n",
        "regions `all` does not exist in this version"},
    {"aws: {region: eu-west-1, accounts: [{name: a, regions: [eu-west-1, us, eu-west-1]}]}\n", "`us` is no region"},
    {"aws: {region: eu-west-1, accounts: [{name: a, regions: [eu-west-1, eu-west-1]}]}\n",
        "region `eu-west-1` is there twice"},
    {"aws: {region: eu-west-1, accounts: [{name: a, role_arn: tocsin}]}\n", "`tocsin` is no role's ARN"},
    {"aws: {region: eu-west-1, accounts: [{name: a, role_arn: 'arn:aws:iam::11122223333:role/x'}]}\n",
        "the account id in role_arn has 11 digits"},
    {"aws: {region: eu-west-1, accounts: [{name: a, role_arn: 'arn:aws-cn:iam::111122223333:role/x'}]}\n",
        "account `a` is in partition aws-cn, and region eu-west-1 in aws"},
    {"aws: {region: eu-west-1, accounts: [{name: a, regions: [eu-west-1, cn-north-1]}]}\n",
        "region cn-north-1 in aws-cn"},
    {"aws: {region: eu-west-1, accounts: [{name: a, external_id: xy}]}\n", "without role_arn"},
    {"aws: {region: eu-west-1, accounts: [{name: a, role_arn: '" ROLE "', external_id: 'a b'}]}\n",
        "external_id has a character"},
};

START_TEST(refused) {
    OWN(problems) Problems *problems = problems_new();
    clean();
    OWN(snapshot) Snapshot *snapshot = load(wrong[_i].yaml, problems);
    ck_assert_ptr_nonnull(snapshot); /* what could be read of it */
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    problems_print(problems, out);
    fclose(out);
    ck_assert_msg(problems_errors(problems) > 0 && strstr(text, wrong[_i].want), "%s: %s", wrong[_i].yaml, text);
    free(text);
}
END_TEST

static const char config_file[] = "[default]\nregion = eu-central-1\nendpoint_url = http://default:1\n"
                                  "[profile p]\nregion = us-gov-west-1\nservices = s\nca_bundle = /ca.pem\n[services "
                                  "s]\nsns =\n endpoint_url = http://nested:2\n";

static const struct Resolved {
    const char *variable[4][2], *yaml, *region, *sns, *cloudwatch;
} resolved[] = {
    {{{0}}, "{}\n", "eu-central-1", "http://default:1", "http://default:1"},
    {{{"AWS_REGION", "us-east-1"}, {"AWS_DEFAULT_REGION", "us-east-2"}}, "{}\n", "us-east-1", "http://default:1",
        "http://default:1"},
    {{{"AWS_REGION", "us-east-1"}}, "aws: {region: eu-west-1}\n", "eu-west-1", "http://default:1", "http://default:1"},
    {{{"AWS_PROFILE", "p"}}, "{}\n", "us-gov-west-1", "http://nested:2", NULL},
    {{{0}}, "aws: {profile: p}\n", "us-gov-west-1", "http://nested:2", NULL},
    {{{"AWS_ENDPOINT_URL", "http://all:3"}, {"AWS_ENDPOINT_URL_SNS", "http://one:4"}}, "{}\n", "eu-central-1",
        "http://one:4", "http://all:3"},
    {{{"AWS_ENDPOINT_URL", "http://all:3"}, {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"}}, "{}\n", "eu-central-1",
        NULL, NULL},
    {{{"AWS_ENDPOINT_URL_SNS", "http://one:4"}, {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"}},
        "aws: {endpoint_url: 'http://file:5', endpoints: {sns: 'http://file:6'}}\n", "eu-central-1", "http://file:6",
        "http://file:5"},
};

START_TEST(resolution) {
    const struct Resolved *c = &resolved[_i];
    OWN(problems) Problems *problems = problems_new();
    clean();
    write_file("config", config_file);
    for (size_t i = 0; i < 4 && c->variable[i][0]; i++) setenv(c->variable[i][0], c->variable[i][1], 1);
    OWN(snapshot) Snapshot *snapshot = load(c->yaml, problems);
    problems_print(problems, stderr);
    ck_assert_uint_eq(problems_errors(problems), 0);
    const AwsSection *section = snapshot_section(snapshot, &aws_section);
    ck_assert_str_eq(section->region, c->region);
    ck_assert_pstr_eq(section->urls[AWS_SNS], c->sns);
    ck_assert_pstr_eq(section->urls[AWS_MONITORING], c->cloudwatch);
    ck_assert(section->account_count == 1 && strcmp(section->accounts[0].name, "default") == 0);
    ck_assert_str_eq(section->accounts[0].regions.texts[0], c->region);
    clean();
}
END_TEST

static const struct Region {
    const char *region, *host;
} regions[] = {{"eu-west-1", "https://monitoring.eu-west-1.amazonaws.com"},
    {"us-gov-west-1", "https://monitoring.us-gov-west-1.amazonaws.com"},
    {"cn-north-1", "https://monitoring.cn-north-1.amazonaws.com.cn"},
    {"eusc-de-east-1", "https://monitoring.eusc-de-east-1.amazonaws.eu"}, {"eu-west", NULL}, {"euwest-1", NULL},
    {"eu-west-1-", NULL}, {"eu-west-100", NULL}, {"eu--west-1", NULL}, {"EU-west-1", NULL}, {"", NULL},
    {"eu-west-1.evil.org/", NULL}};

START_TEST(endpoints) {
    const struct Region *c = &regions[_i];
    ck_assert_msg(aws_region_ok(c->region) == (c->host != NULL), "%s", c->region);
    if (!c->host) return;
    OWN(text) char *url = aws_endpoint(AWS_MONITORING, c->region);
    ck_assert_str_eq(url, c->host);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, refused, 0, COUNT_OF(wrong));
    tcase_add_loop_test(tcase, resolution, 0, COUNT_OF(resolved));
    tcase_add_loop_test(tcase, endpoints, 0, COUNT_OF(regions));
}

int main(void) {
    snprintf(folder, sizeof folder, "/tmp/test_section.XXXXXX");
    if (!mkdtemp(folder)) return EXIT_FAILURE;
    const int failed = run_tests("section", fill);
    static const char *const names[] = {"tocsin.yaml", "config", "credentials"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        OWN(text) char *path = text_format("%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
    return failed;
}
