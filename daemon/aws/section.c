#include "aws/chain.h"
#include "aws/service.h"
#include "aws/way.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { AWS_ACCOUNTS_MAX = 1000, AWS_REGIONS_MAX = 40, AWS_REGION_MAX = 32 };

#define REGION_REMEDY "a region's name such as eu-west-1"

/* --- rows --- */

static bool check_region_text(const char *region, Place at, Decoding *in) {
    if (strcmp(region, "all") == 0)
        return problem_add(
            in->problems, at, "list the regions by name", "regions `all` does not exist in this version of Tocsin");
    return aws_region_ok(region) || problem_add(in->problems, at, REGION_REMEDY, "`%.80s` is no region", region);
}

static bool check_region(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    (void)row;
    const char *region = *(const char *const *)value;
    return check_region_text(region, node->at, in);
}

static bool check_regions(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    (void)row;
    (void)node;
    const TextList *list = value;
    bool fine = true;
    for (size_t i = 0; i < list->count; i++) {
        fine &= check_region_text(list->texts[i], list->places[i], in);
        for (size_t j = 0; j < i; j++)
            if (strcmp(list->texts[i], list->texts[j]) == 0)
                fine = problem_add(in->problems, list->places[i], "name each region once",
                    "region `%.80s` is there twice", list->texts[i]);
    }
    return fine;
}

static bool check_url_text(const char *url, Place at, Decoding *in) {
    Error err = {0};
    return url_ok(url, true, &err) ||
        problem_add(in->problems, at, "an address such as https://host:port", "%s", err.text);
}

static bool check_url(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    (void)row;
    return check_url_text(*(const char *const *)value, node->at, in);
}

static bool check_endpoints(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    (void)row;
    (void)node;
    const TextMap *map = value;
    bool fine = true;
    for (size_t i = 0; i < map->count; i++) {
        AwsService service;
        if (aws_service_find(map->names[i], &service)) {
            fine &= check_url_text(map->texts[i], map->places[i], in);
            continue;
        }
        const char *near = text_nearest(map->names[i], aws_service_words);
        fine = problem_add(in->problems, map->places[i], "one of cloudwatch, cloudtrail, sns, sts, xray",
            "unknown service `%.80s`%s%s%s", map->names[i], near ? ", did you mean `" : "", near ? near : "",
            near ? "`" : "");
    }
    return fine;
}

static bool check_role(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    (void)row;
    const char *partition, *account, *arn = *(const char *const *)value;
    size_t length;
    if (aws_role_arn(arn, &partition, &length, &account)) return true;
    const char *digits = strstr(arn, ":iam::");
    const size_t count = digits ? strspn(digits + 6, "0123456789") : 0;
    if (count && count < 12)
        return problem_add(in->problems, node->at, "an account id has 12 digits, leading zeros included",
            "the account id in role_arn has %zu digits", count);
    return problem_add(in->problems, node->at, "arn:aws:iam::111122223333:role/NAME", "`%.200s` is no role's ARN", arn);
}

static bool check_external_id(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    (void)row;
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@:/-";
    const char *id = *(const char *const *)value;
    return id[strspn(id, allowed)] == 0 ||
        problem_add(in->problems, node->at, "letters, digits and _+=,.@:/- only",
            "external_id has a character that AWS does not take");
}

#define ACCOUNT(member) offsetof(AwsAccount, member)
static const SchemaRow account_rows[] = {
    {.key = "name",
        .type = SCHEMA_TEXT,
        .offset = ACCOUNT(name),
        .min = 1,
        .max = 128,
        .required = true,
        .remedy = "a name of 1 to 128 characters",
        .doc = "What the account is called in labels, messages and the accounts key of alarms."},
    {.key = "role_arn",
        .type = SCHEMA_TEXT,
        .offset = ACCOUNT(role_arn),
        .min = 1,
        .max = 2048,
        .check = check_role,
        .remedy = "arn:aws:iam::111122223333:role/NAME",
        .doc = "The role to assume there. Without it the base credentials themselves are used."},
    {.key = "external_id",
        .type = SCHEMA_TEXT,
        .offset = ACCOUNT(external_id),
        .min = 2,
        .max = 1224,
        .check = check_external_id,
        .remedy = "2 to 1224 letters, digits and _+=,.@:/-",
        .doc = "What the role's trust policy asks for as sts:ExternalId."},
    {.key = "external_id_file",
        .type = SCHEMA_SECRET,
        .offset = ACCOUNT(external_id_file),
        .remedy = "a file",
        .doc = "The same, read from a file."},
    {.key = "regions",
        .type = SCHEMA_TEXTS,
        .offset = ACCOUNT(regions),
        .min = 1,
        .max = AWS_REGIONS_MAX,
        .check = check_regions,
        .remedy = "a list of regions",
        .doc = "Where to look. Without it: aws.region."},
    SCHEMA_END,
};

#define AT(member) offsetof(AwsSection, member)
static const SchemaRow aws_rows[] = {
    {.key = "region",
        .type = SCHEMA_TEXT,
        .offset = AT(region),
        .min = 1,
        .max = AWS_REGION_MAX,
        .check = check_region,
        .remedy = REGION_REMEDY,
        .doc = "The region of accounts that name none, and of STS. Without it AWS_REGION, AWS_DEFAULT_REGION, then the "
               "profile's."},
    {.key = "profile",
        .type = SCHEMA_TEXT,
        .offset = AT(profile),
        .min = 1,
        .max = 128,
        .remedy = "a profile of the AWS files",
        .doc = "Take credentials from this profile of ~/.aws; outranks keys in the environment. Without it the SDKs' "
               "own order."},
    {.key = "endpoint_url",
        .type = SCHEMA_TEXT,
        .offset = AT(endpoint_url),
        .min = 1,
        .max = 2048,
        .check = check_url,
        .remedy = "an address such as https://host:port",
        .doc = "Send every call there: emulators, VPC endpoints."},
    {.key = "endpoints",
        .type = SCHEMA_MAP,
        .offset = AT(endpoints),
        .min = 0,
        .max = AWS_SERVICES,
        .check = check_endpoints,
        .remedy = "service: address, of cloudwatch, cloudtrail, sns, sts, xray",
        .doc = "The same for single services; outranks endpoint_url."},
    {.key = "accounts",
        .type = SCHEMA_SECTIONS,
        .offset = AT(account_rows),
        .min = 1,
        .max = AWS_ACCOUNTS_MAX,
        .rows = account_rows,
        .size = sizeof(AwsAccount),
        .remedy = "a list of accounts",
        .doc = "The accounts to watch. Without it: the one of the base credentials, named default."},
    {.key = "budget_usd_per_month",
        .type = SCHEMA_LATER,
        .remedy = "take it out",
        .doc = "A ceiling for what reading AWS may cost."},
    SCHEMA_END,
};

/* --- what rows cannot say --- */

static const char *configured_url(const AwsSection *section, const char *word) {
    for (size_t i = 0; i < section->endpoints.count; i++)
        if (strcmp(section->endpoints.names[i], word) == 0) return section->endpoints.texts[i];
    return section->endpoint_url;
}

/* A mistake in the AWS files that `--check` can see. They may be mended while the daemon runs, so it refuses nothing.
 */
static void warn_of_circle(const AwsSection *section, const AwsFiles *files, Decoding *in) {
    Place at;
    if (!section->profile && aws_environment("AWS_ACCESS_KEY_ID")) return; /* no profile is asked for keys */
    OWN(text) char *circle = way_circle(files, section->profile, &at);
    if (!circle) return;
    at.file = arena_text(in->arena, at.file);
    problem_warn(in->problems, at, WAY_CIRCLE_REMEDY, WAY_CIRCLE, circle);
}

/* Fills in from environment and profile what the file leaves open. */
static bool resolve(AwsSection *section, Place at, Decoding *in) {
    __attribute__((cleanup(aws_files_drop))) AwsFiles files = {0};
    Error err = {0};
    bool fine = true;
    if (!aws_files_read(&files, &err)) {
        problem_warn(in->problems, at, NULL, "%s", err.text);
        files = (AwsFiles){.config_path = NULL};
        files.config = profiles_parse(PROFILE_CONFIG, "", "", 0, NULL);
        files.credentials = profiles_parse(PROFILE_CREDENTIALS, "", "", 0, NULL);
    }
    if (!section->region) {
        section->region = arena_text(in->arena, aws_chain_region(&files, section->profile));
        if (section->region && !aws_region_ok(section->region))
            fine = problem_add(in->problems, at, REGION_REMEDY, "the region of environment or profile is none: `%.80s`",
                section->region);
    }
    for (size_t i = 0; i < AWS_SERVICES; i++) {
        const char *word = aws_service((AwsService)i)->word;
        section->urls[i] = configured_url(section, word);
        if (section->urls[i]) continue;
        section->urls[i] = arena_text(in->arena, aws_chain_endpoint(&files, section->profile, word));
        if (section->urls[i]) fine &= check_url_text(section->urls[i], at, in);
    }
    warn_of_circle(section, &files, in);
    section->ca_bundle = arena_text(in->arena, aws_chain_ca_bundle(&files, section->profile));
    return fine;
}

static TextList one_region(const AwsSection *section, Place at, Decoding *in) {
    const char **texts = arena_alloc(in->arena, 1, sizeof *texts);
    Place *places = arena_alloc(in->nodes, 1, sizeof *places);
    texts[0] = section->region;
    places[0] = at;
    return (TextList){1, texts, places};
}

/* A role's partition must be its regions', and an account is in one partition alone. */
static bool check_partition(const AwsAccount *account, Decoding *in) {
    const char *partition = NULL, *id;
    size_t length = 0;
    if (!account->regions.count) return true;
    if (!account->role_arn || !aws_role_arn(account->role_arn, &partition, &length, &id)) {
        partition = aws_partition(account->regions.texts[0])->name;
        length = strlen(partition);
    }
    for (size_t i = 0; i < account->regions.count; i++) {
        const char *theirs = aws_partition(account->regions.texts[i])->name;
        if (strlen(theirs) == length && strncmp(theirs, partition, length) == 0) continue;
        return problem_add(in->problems, account->regions.places[i], "one account and its role are in one partition",
            "account `%.128s` is in partition %.*s, and region %.40s in %s", account->name, (int)length, partition,
            account->regions.texts[i], theirs);
    }
    return true;
}

static bool finish_account(AwsSection *section, AwsAccount *account, Decoding *in) {
    bool fine = true;
    if (account->external_id && account->external_id_file)
        fine = problem_add(
            in->problems, account->at, "give one of them", "external_id and external_id_file are both there");
    if ((account->external_id || account->external_id_file) && !account->role_arn)
        fine = problem_add(
            in->problems, account->at, "give role_arn, too", "an external id without role_arn means nothing");
    if (!account->regions.count && section->region) account->regions = one_region(section, account->at, in);
    if (!account->regions.count)
        return problem_add(in->problems, account->at,
            "set aws.region, regions of the account, AWS_REGION, or region in the AWS profile",
            "no region is known for account `%.128s`", account->name);
    return check_partition(account, in) && fine;
}

static bool names_differ(const AwsSection *section, Decoding *in) {
    const AwsAccount *accounts = section->accounts;
    bool fine = true;
    for (size_t i = 0; i < section->account_count; i++)
        for (size_t j = 0; j < i; j++)
            if (accounts[i].name && accounts[j].name && strcmp(accounts[i].name, accounts[j].name) == 0)
                fine = problem_add(in->problems, node_get(section->account_rows.nodes[i], "name")->at,
                    "give each account its own name", "account `%.128s` is there twice", accounts[i].name);
    return fine;
}

static bool decode(Decoding *in, const Node *node, void *into) {
    AwsSection *section = into;
    const Place at = node ? node->at : (Place){snapshot_file(in->snapshot), 1, 1};
    bool fine = resolve(section, at, in);
    AwsAccount *accounts = section->account_rows.items;
    section->account_count = section->account_rows.count;
    for (size_t i = 0; i < section->account_count; i++) accounts[i].at = section->account_rows.nodes[i]->at;
    if (!section->account_count) {
        accounts = arena_alloc(in->arena, 1, sizeof *accounts);
        *accounts = (AwsAccount){.name = "default", .at = at};
        section->account_count = 1;
    }
    section->accounts = accounts;
    for (size_t i = 0; i < section->account_count; i++)
        if (accounts[i].name) fine &= finish_account(section, &accounts[i], in);
    fine &= names_differ(section, in);
    for (size_t i = 0; i < section->account_count; i++)
        if (!accounts[i].name) accounts[i].name = ""; /* told above; sections to come look accounts up by name */
    return fine;
}

const SectionDescriptor aws_section = {.key = "aws",
    .doc = "Which accounts and regions of AWS are read, and how they are reached.",
    .size = sizeof(AwsSection),
    .rows = aws_rows,
    .decode = decode};

const AwsAccount *aws_section_account(const AwsSection *section, const char *name) {
    for (size_t i = 0; i < section->account_count; i++)
        if (strcmp(section->accounts[i].name, name) == 0) return &section->accounts[i];
    return NULL;
}

const char *aws_home_region(const char *region) {
    if (strncmp(region, "cn-", 3) == 0) return "cn-north-1";
    if (strncmp(region, "us-gov-", 7) == 0) return "us-gov-west-1";
    return "us-east-1";
}
