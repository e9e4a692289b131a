/* tocsinctl whoami: which account, ARN and source of keys stand behind each account of a configuration, asked of AWS
 * the way the daemon would, without it. Never a secret, and no access key id either. */
#include "ctl/verb.h"

#include "aws/aws.h"
#include "aws/sts.h"
#include "base/alloc.h"
#include "base/log.h"
#include "base/problems.h"
#include "ctl/people.h"

#include <signal.h>
#include <string.h>

#define IDENTITY_FORM "Action=GetCallerIdentity&Version=2011-06-15"

static const CtlOption options[] = {
    {"-c", "--config", "FILE", "the configuration; default /etc/tocsin/tocsin.yaml"}, {0}};

typedef struct Asking Asking;

/* One account and what became of it. */
typedef struct Who {
    Asking *asking;
    const AwsAccount *account;
    StsIdentity identity;
    char *source, *error; /* one of them */
    int64_t expires_ms;
} Who;

struct Asking {
    uv_loop_t loop;
    Aws *aws;
    Who *who;
    size_t count, left;
};

/* --- asking --- */

static char *source_of(const Who *who, int64_t *ret_expires_ms) {
    const Aws *aws = who->asking->aws;
    const char *base = "", *origin = "";
    int64_t base_end_ms;
    *ret_expires_ms = 0;
    aws_account_keys(aws, NULL, &base, &base_end_ms);
    aws_account_keys(aws, who->account->name, &origin, ret_expires_ms);
    return who->account->role_arn ? text_format("role %s, assumed with %s", origin, base) : text_copy(origin);
}

static void answered(void *ctx, const AwsAnswer *answer) {
    Who *who = ctx;
    Error err = {0};
    if (answer->class != AWS_FINE)
        who->error = text_copy(answer->explanation);
    else if (sts_identity_read(answer->body, answer->body_length, &who->identity, &err))
        who->source = source_of(who, &who->expires_ms);
    else
        who->error = text_copy(err.text);
    if (--who->asking->left == 0) uv_stop(&who->asking->loop);
}

static void ask_all(Asking *asking, const AwsSection *section) {
    asking->count = asking->left = section->account_count;
    asking->who = alloc_zeroed(asking->count, sizeof *asking->who);
    for (size_t i = 0; i < asking->count; i++) {
        const AwsAccount *account = &section->accounts[i];
        asking->who[i] = (Who){.asking = asking, .account = account};
        aws_call(asking->aws,
            &(AwsCall){.account = account->name,
                .region = account->regions.texts[0],
                .service = AWS_STS,
                .operation = "GetCallerIdentity",
                .action = "sts:GetCallerIdentity",
                .body = IDENTITY_FORM,
                .body_length = strlen(IDENTITY_FORM),
                .body_max = 65536},
            answered, &asking->who[i]);
    }
    while (asking->left) uv_run(&asking->loop, UV_RUN_DEFAULT);
}

static void drop_who(Asking *asking) {
    for (size_t i = 0; i < asking->count; i++) {
        free(asking->who[i].source);
        free(asking->who[i].error);
    }
    free(asking->who);
}

/* --- telling --- */

static json_t *expiry(const Who *who) { return json_time(who->expires_ms); }

static void tell_json(const Asking *asking, FILE *out) {
    OWN(json) json_t *accounts = json_array();
    for (size_t i = 0; i < asking->count; i++) {
        const Who *who = &asking->who[i];
        json_array_append_new(accounts,
            json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "name", json_safe(who->account->name), "account",
                json_safe(who->error ? NULL : who->identity.account), "arn",
                json_safe(who->error ? NULL : who->identity.arn), "source", json_safe(who->source), "expires",
                expiry(who), "error", json_safe(who->error)));
    }
    OWN(json) json_t *answer = json_pack("{s:O}", "accounts", accounts);
    OWN(text) char *text = json_write(answer);
    fprintf(out, "%s\n", text);
}

static void tell_people(const Asking *asking, const CtlContext *ctl) {
    static const char *const heads[] = {"NAME", "ACCOUNT", "ARN", "EXPIRES", "SOURCE", NULL};
    OWN(table) Table *table = table_new(heads);
    size_t rows = 0;
    for (size_t i = 0; i < asking->count; i++) {
        const Who *who = &asking->who[i];
        OWN(json) json_t *end = expiry(who);
        if (who->error) {
            OWN(text) char *clean = people_clean(who->error);
            fprintf(ctl->err, "%s\n", clean);
            continue;
        }
        rows++;
        table_cell(table, PAINT_NONE, who->account->name);
        table_cell(table, PAINT_NONE, who->identity.account);
        table_cell(table, PAINT_NONE, who->identity.arn);
        if (who->expires_ms)
            table_cell_take(table, PAINT_NONE, people_when(ctl->clock, json_string_value(end)));
        else
            table_cell(table, PAINT_NONE, "never");
        table_cell(table, PAINT_NONE, who->source);
    }
    if (rows) table_print(table, ctl->out, ctl->colour);
}

static int tell(const Asking *asking, const CtlContext *ctl) {
    size_t errors = 0;
    if (ctl->json)
        tell_json(asking, ctl->out);
    else
        tell_people(asking, ctl);
    for (size_t i = 0; i < asking->count; i++) errors += asking->who[i].error != NULL;
    return errors ? CTL_FAILED : CTL_DONE;
}

static int ask(CtlContext *ctl, Snapshot *snapshot) {
    Asking asking = {0};
    if (uv_loop_init(&asking.loop)) return fputs("tocsinctl: no event loop can be had\n", ctl->err), CTL_FAILED;
    void (*const before)(int) = signal(SIGPIPE, SIG_IGN); /* a connection that ends is an answer, not our end */
    log_setup(LOG_AUTO, LOG_WARNING);
    Http *http = http_new(&asking.loop, ctl->clock, NULL);
    asking.aws = aws_new(&asking.loop, http, ctl->clock, NULL);
    aws_configure(asking.aws, snapshot);
    ask_all(&asking, snapshot_section(snapshot, &aws_section));
    const int status = tell(&asking, ctl);
    aws_free(asking.aws);
    http_free(http);
    while (uv_run(&asking.loop, UV_RUN_DEFAULT)) {}
    uv_loop_close(&asking.loop);
    signal(SIGPIPE, before);
    drop_who(&asking);
    return status;
}

static int whoami(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    (void)verb;
    const char *file = arguments->values[0] ? arguments->values[0] : "/etc/tocsin/tocsin.yaml";
    OWN(problems) Problems *problems = problems_new();
    OWN(snapshot) Snapshot *snapshot = snapshot_load(ctl->schema, file, false, problems);
    if (snapshot && problems_errors(problems) == 0) return ask(ctl, snapshot);
    problems_print(problems, ctl->err);
    return CTL_FAILED;
}

const CtlVerb verb_whoami = {.name = "whoami",
    .arguments = "",
    .help = "which AWS accounts a configuration reads, as whom, and by whose keys",
    .details =
        "Asks AWS itself (sts:GetCallerIdentity, which needs no permission), the way the daemon would, without it. "
        "The daemon may stand elsewhere: with its user and its environment the answer is its own.",
    .options = options,
    .run = whoami};
