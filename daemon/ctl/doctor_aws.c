/* daemon/ctl/doctor_aws.c: whose keys they are, and one cheap call of each kind that the alarms need, in each account
 * and region: loops over the plan */
#include "aws/sts.h"
#include "base/alloc.h"
#include "base/json.h"
#include "ctl/doctor.h"
#include "ctl/offline.h"

#include <stdlib.h>
#include <string.h>

#define IDENTITY_FORM "Action=GetCallerIdentity&Version=2011-06-15"
enum { SKEW_WARN_MS = 60000, SKEW_FAIL_MS = 300000 }; /* TocsinClockSkew's */

/* --- who --- */

static void identified(void *ctx, const AwsAnswer *answer) {
    DoctorJob *job = ctx;
    StsIdentity identity;
    Error err = {0};
    const char *origin = "";
    int64_t end_ms;
    if (answer->class != AWS_FINE) return doctor_end_aws(job, answer, NULL);
    if (!sts_identity_read(answer->body, answer->body_length, &identity, &err))
        return doctor_end(job, DOCTOR_FAIL, "is that AWS?", "%s: %s", job->about, err.text);
    aws_account_keys(job->doctor->aws, job->account->name, &origin, &end_ms);
    OWN(text) char *more = text_format("%s, keys from %s", identity.arn, origin);
    doctor_end_aws(job, answer, more);
}

static void identify(DoctorJob *job) {
    aws_call(job->doctor->aws,
        &(AwsCall){.account = job->account->name,
            .region = job->region,
            .service = AWS_STS,
            .operation = "GetCallerIdentity",
            .action = "sts:GetCallerIdentity",
            .body = IDENTITY_FORM,
            .body_length = strlen(IDENTITY_FORM),
            .body_max = 65536,
            .deadline_ms = DOCTOR_CALL_MS},
        identified, job);
}

const DoctorJob *doctor_identity(const Doctor *doctor, const char *account) {
    for (size_t i = 0; i < doctor->job_count; i++)
        if (doctor->jobs[i]->start == identify && !strcmp(doctor->jobs[i]->account->name, account))
            return doctor->jobs[i];
    return NULL;
}

/* --- what it may do --- */

static void put_time(Buffer *out, const char *body, const char *mark, int64_t time_s, const char **ret_rest) {
    const char *at = strstr(body, mark);
    if (!at) return buffer_text(out, body), (void)(*ret_rest = body + strlen(body));
    buffer_add(out, body, (size_t)(at - body));
    buffer_format(out, "%lld", (long long)time_s);
    *ret_rest = at + strlen(mark);
}

/* A second of a minute ago: a minute for metrics, whose times are rounded. Caller frees. */
static char *probe_body(const SourceProbe *probe, int64_t now_s) {
    const int64_t start_s = now_s - now_s % 60 - 120;
    Buffer out = BUFFER(2048);
    const char *rest = probe->body;
    put_time(&out, rest, "@start@", start_s, &rest);
    put_time(&out, rest, "@end@", start_s + (probe->service == AWS_MONITORING ? 60 : 1), &rest);
    buffer_text(&out, rest);
    return buffer_take(&out);
}

static void probed(void *ctx, const AwsAnswer *answer) { doctor_end_aws(ctx, answer, NULL); }

static void probe(DoctorJob *job) {
    OWN(text) char *body = probe_body(job->probe, aws_now_ms(job->doctor->aws) / 1000);
    aws_call(job->doctor->aws,
        &(AwsCall){.account = job->account->name,
            .region = job->region,
            .service = job->probe->service,
            .operation = strchr(job->probe->action, ':') + 1,
            .action = job->probe->action,
            .path = job->probe->path,
            .body = body,
            .body_length = strlen(body),
            .deadline_ms = DOCTOR_CALL_MS},
        probed, job);
}

/* --- all of them --- */

static void add_probe(Doctor *doctor, const Poll *poll, const SourceProbe *tried, json_t *seen) {
    OWN(text) char *about = text_format("AWS account %s, %s: %s", poll->account, poll->region, tried->action);
    if (json_object_get(seen, about)) return;
    json_object_set_new(seen, about, json_true());
    DoctorJob *job = doctor_job(doctor, "aws", probe, GIVE(about));
    job->account = aws_section_account(snapshot_section(doctor->snapshot, &aws_section), poll->account);
    job->region = poll->region; /* the plan goes before the job runs: of the snapshot */
    job->probe = tried;
    job->after = doctor_identity(doctor, poll->account);
}

/* The region as the snapshot holds it, which outlives the plan. */
static const char *kept_region(const Doctor *doctor, const char *region) {
    const AwsSection *aws = snapshot_section(doctor->snapshot, &aws_section);
    for (size_t a = 0; a < aws->account_count; a++)
        for (size_t r = 0; r < aws->accounts[a].regions.count; r++)
            if (!strcmp(aws->accounts[a].regions.texts[r], region)) return aws->accounts[a].regions.texts[r];
    return aws_home_region(region);
}

void doctor_aws_jobs(Doctor *doctor) {
    const AwsSection *aws = snapshot_section(doctor->snapshot, &aws_section);
    for (size_t i = 0; i < aws->account_count; i++) {
        DoctorJob *job = doctor_job(doctor, "aws", identify, text_format("AWS account %s", aws->accounts[i].name));
        job->account = &aws->accounts[i];
        job->region = aws->accounts[i].regions.texts[0];
    }
    OfflineWatches all = offline_watches(doctor->snapshot);
    OWN(plan) Plan *plan = sources_plan(doctor->snapshot, all.watches, all.count);
    OWN(json) json_t *seen = json_object();
    for (size_t i = 0; i < plan_count(plan); i++) {
        Poll poll = *plan_poll(plan, i);
        poll.region = kept_region(doctor, poll.region);
        for (const SourceProbe *tried = poll.source->probes; tried && tried->action; tried++)
            add_probe(doctor, &poll, tried, seen);
    }
    offline_watches_drop(&all);
}

void doctor_aws_clock(Doctor *doctor) {
    const int64_t skew_ms = doctor->skew_ms, off_ms = skew_ms < 0 ? -skew_ms : skew_ms;
    size_t good = 0;
    for (size_t i = 0; i < doctor->job_count; i++)
        good += doctor->jobs[i]->start == identify && doctor->jobs[i]->is_good;
    if (!good) return; /* nobody has told us the time */
    const DoctorStatus status = off_ms > SKEW_FAIL_MS ? DOCTOR_FAIL : off_ms > SKEW_WARN_MS ? DOCTOR_WARN : DOCTOR_OK;
    doctor_say(doctor, "aws", status, status == DOCTOR_OK ? NULL : "set the clock, and let chrony or timesyncd keep it",
        "this clock is %.1f s %s AWS's", (double)off_ms / 1000, skew_ms > 0 ? "behind" : "ahead of");
}
