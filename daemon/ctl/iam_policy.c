/* tocsinctl iam-policy: the least policy that a configuration needs, for the base credentials or an account's role. */
#include "ctl/offline.h"

#include "base/alloc.h"
#include "base/json.h"
#include "plugin/receivers.h"

#include <stdlib.h>
#include <string.h>

enum { OPTION_CONFIG, OPTION_ACCOUNT, ACTIONS_MAX = 64 };
static const CtlOption options[] = {{"-c", "--config", "FILE", "the configuration (default " CTL_CONFIG ")"},
    {"--account", NULL, "NAME", "the policy of this account's role (default: of the base credentials)"}, {0}};

/* Whose policy is written: the base credentials' (NULL) or that of an account with a role. */
typedef struct Policy {
    const AwsSection *aws;
    const AwsAccount *role;
    json_t *statements;
} Policy;

/* Do calls for this account go out under the policy in hand? */
static bool is_ours(const Policy *policy, const char *account) {
    const AwsAccount *found = account && *account ? aws_section_account(policy->aws, account) : NULL;
    if (!found || !found->role_arn) return !policy->role;
    return found == policy->role;
}

static void allow(Policy *policy, json_t *take_actions, json_t *take_resource) {
    json_array_append_new(policy->statements,
        json_pack("{s:s, s:o, s:o}", "Effect", "Allow", "Action", take_actions, "Resource", take_resource));
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static bool has(const char *const *all, size_t count, const char *text) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(all[i], text)) return true;
    return false;
}

static void allow_polls(Policy *policy, const Plan *plan) {
    const char *actions[ACTIONS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < plan_count(plan); i++) {
        const Poll *poll = plan_poll(plan, i);
        if (!is_ours(policy, poll->account)) continue;
        for (size_t a = 0; poll->source->actions[a] && count < ACTIONS_MAX; a++)
            if (!has(actions, count, poll->source->actions[a])) actions[count++] = poll->source->actions[a];
    }
    qsort(actions, count, sizeof *actions, by_text);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(list, json_string(actions[i]));
    if (count)
        allow(policy, list, json_string("*")); /* none of these takes a narrower resource */
    else
        json_decref(list);
}

static bool lists(const json_t *list, const char *text) {
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!strcmp(json_string_value(json_array_get(list, i)), text)) return true;
    return false;
}

static void look_at_channel(const Policy *policy, const Channel *channel, json_t *topics, bool *ret_phones) {
    if (strcmp(channel->plugin, "sns")) return;
    OWN(json) json_t *config = json_read(channel->config_json, strlen(channel->config_json), NULL);
    const char *topic = json_text(config, "topic_arn");
    if (!is_ours(policy, json_text(config, "account"))) return;
    if (!topic)
        *ret_phones = true;
    else if (!lists(topics, topic))
        json_array_append_new(topics, json_string(topic));
}

static void allow_receivers(Policy *policy, const ReceiversSection *receivers) {
    json_t *topics = json_array();
    bool phones = false;
    for (size_t r = 0; r < receivers->count; r++)
        for (size_t c = 0; c < receivers->receivers[r].channel_count; c++)
            look_at_channel(policy, &receivers->receivers[r].channels[c], topics, &phones);
    if (json_array_size(topics))
        allow(policy, json_pack("[s, s]", "sns:Publish", "sns:GetTopicAttributes"), topics);
    else
        json_decref(topics);
    if (phones) allow(policy, json_string("sns:Publish"), json_string("*")); /* a phone number is no resource */
}

static void allow_roles(Policy *policy) {
    json_t *roles = json_array();
    for (size_t i = 0; !policy->role && i < policy->aws->account_count; i++)
        if (policy->aws->accounts[i].role_arn)
            json_array_append_new(roles, json_string(policy->aws->accounts[i].role_arn));
    if (json_array_size(roles))
        allow(policy, json_string("sts:AssumeRole"), roles);
    else
        json_decref(roles);
}

static void print_policy(const CtlContext *ctl, const Policy *policy) {
    OWN(json) json_t *document = json_pack("{s:s, s:O}", "Version", "2012-10-17", "Statement", policy->statements);
    json_dumpf(document, ctl->out, JSON_INDENT(2));
    fputc('\n', ctl->out);
}

/* The base credentials reach the others through their roles, which need a policy each. */
static void tell_of_roles(const CtlContext *ctl, const Policy *policy) {
    for (size_t i = 0; !policy->role && i < policy->aws->account_count; i++)
        if (policy->aws->accounts[i].role_arn)
            fprintf(ctl->err,
                "tocsinctl: account %s has a role, whose policy `tocsinctl iam-policy --account %s` writes\n",
                policy->aws->accounts[i].name, policy->aws->accounts[i].name);
}

static int write_policy(CtlContext *ctl, Snapshot *snapshot, Policy *policy) {
    OfflineWatches all = offline_watches(snapshot);
    OWN(plan) Plan *plan = sources_plan(snapshot, all.watches, all.count);
    OWN(json) json_t *statements = json_array();
    policy->statements = statements;
    allow_polls(policy, plan);
    allow_receivers(policy, snapshot_section(snapshot, &receivers_section));
    allow_roles(policy);
    if (json_array_size(statements))
        print_policy(ctl, policy);
    else
        fputs("tocsinctl: nothing is asked of AWS with these credentials: no policy is needed\n", ctl->err);
    tell_of_roles(ctl, policy);
    offline_watches_drop(&all);
    return CTL_DONE;
}

static int run(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    (void)verb;
    const char *file = arguments->values[OPTION_CONFIG], *name = arguments->values[OPTION_ACCOUNT];
    OWN(snapshot) Snapshot *snapshot = offline_config(ctl, file ? file : CTL_CONFIG);
    if (!snapshot) return CTL_FAILED;
    Policy policy = {.aws = snapshot_section(snapshot, &aws_section)};
    if (name) {
        policy.role = aws_section_account(policy.aws, name);
        if (!policy.role) return fprintf(ctl->err, "tocsinctl: there is no account `%.255s`\n", name), CTL_FAILED;
        if (!policy.role->role_arn) policy.role = NULL; /* it is the base credentials' */
    }
    return write_policy(ctl, snapshot, &policy);
}

const CtlVerb verb_iam_policy = {.name = "iam-policy",
    .arguments = "",
    .help = "the least IAM policy that a configuration needs",
    .details = "As JSON on standard output, for `aws iam put-role-policy --policy-document`. Nothing is contacted.",
    .options = options,
    .run = run};
