/* tocsinctl doctor: will it work here? Everything that the daemon would need is tried once, with words for what is
 * wrong. Nothing is sent to anybody, and nothing is changed. */
#include "ctl/doctor.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"
#include "base/problems.h"
#include "base/timetext.h"
#include "ctl/call.h"
#include "ctl/offline.h"
#include "ctl/people.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPTION_CONFIG, OPTION_TIMEOUT, WHAT_MAX = 2048, DRAIN_TURNS = 16 };
static const CtlOption options[] = {{"-c", "--config", "FILE", "the configuration (default " CTL_CONFIG ")"},
    {"--timeout", NULL, "DURATION", "how long AWS and the receivers may take together (default 2m)"}, {0}};

static const struct {
    const char *word, *shown;
    Paint paint;
} statuses[DOCTOR_STATUSES] = {
    [DOCTOR_OK] = {"ok", "ok  ", PAINT_GREEN},
    [DOCTOR_WARN] = {"warn", "warn", PAINT_YELLOW},
    [DOCTOR_FAIL] = {"FAIL", "FAIL", PAINT_RED},
};

/* --- findings --- */

static Finding *finding_new(Doctor *doctor, const char *area) {
    doctor->findings = alloc_again(doctor->findings, doctor->count + 1, sizeof(Finding *));
    Finding *finding = doctor->findings[doctor->count++] = alloc_zeroed(1, sizeof *finding);
    finding->area = area;
    return finding;
}

static void print_finding(const Doctor *doctor, const Finding *finding) {
    FILE *out = doctor->ctl->out;
    people_paint(out, doctor->ctl->colour, statuses[finding->status].paint, statuses[finding->status].shown);
    fprintf(out, " %s%s%s\n", finding->what, finding->remedy ? " — " : "", finding->remedy ? finding->remedy : "");
    fflush(out);
}

static void show_progress(const Doctor *doctor) {
    if (!isatty(fileno(doctor->ctl->err))) return;
    fputs("\r\x1b[K", doctor->ctl->err);
    if (doctor->over < doctor->job_count)
        fprintf(doctor->ctl->err, "%zu of %zu asked\r", doctor->over, doctor->job_count);
    fflush(doctor->ctl->err);
}

static void tell_known(Doctor *doctor) {
    show_progress(doctor);
    for (; doctor->told < doctor->count && doctor->findings[doctor->told]->is_known; doctor->told++)
        if (!doctor->ctl->json) print_finding(doctor, doctor->findings[doctor->told]);
}

__attribute__((format(printf, 5, 0))) static void settle(
    Doctor *doctor, Finding *finding, DoctorStatus status, const char *remedy, const char *what, va_list args) {
    char line[WHAT_MAX];
    vsnprintf(line, sizeof line, what, args);
    finding->what = people_clean(line);
    finding->remedy = remedy ? people_clean(remedy) : NULL;
    finding->status = status;
    finding->is_known = true;
    doctor->statuses[status]++;
    tell_known(doctor);
}

void doctor_say(Doctor *doctor, const char *area, DoctorStatus status, const char *remedy, const char *what, ...) {
    va_list args;
    va_start(args, what);
    settle(doctor, finding_new(doctor, area), status, remedy, what, args);
    va_end(args);
}

/* --- jobs --- */

DoctorJob *doctor_job(Doctor *doctor, const char *area, void (*start)(DoctorJob *job), char *take_about) {
    doctor->jobs = alloc_again(doctor->jobs, doctor->job_count + 1, sizeof(DoctorJob *));
    DoctorJob *job = doctor->jobs[doctor->job_count++] = alloc_zeroed(1, sizeof *job);
    *job = (DoctorJob){.doctor = doctor, .start = start, .about = take_about};
    job->finding = finding_new(doctor, area);
    return job;
}

void doctor_end(DoctorJob *job, DoctorStatus status, const char *remedy, const char *what, ...) {
    va_list args;
    Doctor *doctor = job->doctor;
    if (job->state == JOB_RUNNING) doctor->running--;
    job->state = JOB_OVER;
    job->is_good = status == DOCTOR_OK;
    doctor->over++;
    va_start(args, what);
    settle(doctor, job->finding, status, remedy, what, args);
    va_end(args);
}

/* The explanation, without the account and region that the job has named already. */
static const char *why_of(const DoctorJob *job, const AwsAnswer *answer) {
    if (!*answer->explanation) return aws_class_word(answer->class);
    if (!job->account) return answer->explanation;
    OWN(text) char *named = text_format("account %s (%s): ", job->account->name, job->region);
    const size_t length = strlen(named);
    return answer->explanation + (strncmp(answer->explanation, named, length) ? 0 : length);
}

void doctor_end_aws(DoctorJob *job, const AwsAnswer *answer, const char *more) {
    const char *why = why_of(job, answer);
    if (answer->class == AWS_FINE)
        doctor_end(job, DOCTOR_OK, NULL, "%s%s%s", job->about, more ? ": " : "", more ? more : "");
    else if (answer->class == AWS_CANCELLED)
        doctor_end_late(job);
    else
        doctor_end(job, answer->class == AWS_THROTTLED ? DOCTOR_WARN : DOCTOR_FAIL, NULL, "%s: %s", job->about, why);
}

void doctor_end_late(DoctorJob *job) {
    doctor_end(job, DOCTOR_FAIL, "ask again when the network answers", "%s: no answer within %lld s", job->about,
        (long long)job->doctor->limit_s);
}

static void start_job(DoctorJob *job) {
    if (job->after && job->after->state == JOB_OVER && !job->after->is_good)
        return doctor_end(
            job, DOCTOR_WARN, "mend that first", "%s: not tried, for the account has no keys", job->about);
    job->state = JOB_RUNNING;
    job->doctor->running++;
    job->start(job);
}

static void start_jobs(Doctor *doctor) {
    for (size_t i = 0; i < doctor->job_count && doctor->running < DOCTOR_AT_ONCE; i++) {
        DoctorJob *job = doctor->jobs[i];
        if (job->state == JOB_WAITING && (!job->after || job->after->state == JOB_OVER)) start_job(job);
    }
}

static void time_is_up(uv_timer_t *timer) {
    Doctor *doctor = timer->data;
    doctor->is_late = true;
}

/* What runs past the deadline is cancelled, which ends it; what was never begun is told so. */
static void give_up(Doctor *doctor) {
    doctor->aws = aws_free(doctor->aws);
    doctor->http = http_free(doctor->http);
    for (size_t i = 0; i < doctor->job_count; i++)
        if (doctor->jobs[i]->state == JOB_WAITING)
            doctor_end(doctor->jobs[i], DOCTOR_WARN, "ask again when the others answer",
                "%s: not tried, for %lld s were over", doctor->jobs[i]->about, (long long)doctor->limit_s);
}

static void run_jobs(Doctor *doctor) {
    uv_timer_t deadline;
    uv_timer_init(&doctor->loop, &deadline);
    deadline.data = doctor;
    uv_timer_start(&deadline, time_is_up, (uint64_t)doctor->limit_s * 1000, 0);
    while (doctor->over < doctor->job_count && !doctor->is_late) {
        start_jobs(doctor);
        if (doctor->running) uv_run(&doctor->loop, UV_RUN_ONCE);
    }
    doctor->skew_ms = aws_skew_ms(doctor->aws);
    if (doctor->is_late) give_up(doctor);
    uv_close((uv_handle_t *)&deadline, NULL);
    uv_run(&doctor->loop, UV_RUN_NOWAIT);
}

/* Nothing stops a name lookup once it runs, and it may outlive every deadline: nobody waits for it. */
static void drain(Doctor *doctor) {
    for (int turns = 0; turns < DRAIN_TURNS; turns++)
        if (!uv_run(&doctor->loop, UV_RUN_NOWAIT)) break;
    doctor->ctl->is_left_busy = uv_loop_close(&doctor->loop) != 0;
}

static bool ask_network(Doctor *doctor) {
    if (uv_loop_init(&doctor->loop)) return fputs("tocsinctl: no event loop can be had\n", doctor->ctl->err), false;
    void (*const before)(int) = signal(SIGPIPE, SIG_IGN); /* a connection that ends is an answer, not our end */
    log_setup(LOG_AUTO, LOG_ERROR); /* what goes wrong becomes a finding */
    doctor->http = http_new(&doctor->loop, doctor->ctl->clock, NULL);
    doctor->aws = aws_new(&doctor->loop, doctor->http, doctor->ctl->clock, NULL);
    aws_configure(doctor->aws, doctor->snapshot);
    doctor_aws_jobs(doctor);
    doctor_receiver_jobs(doctor);
    run_jobs(doctor);
    doctor_aws_clock(doctor);
    aws_free(doctor->aws);
    http_free(doctor->http);
    drain(doctor);
    signal(SIGPIPE, before);
    return true;
}

/* --- the configuration --- */

static void tell_problems(Doctor *doctor, const Problems *problems) {
    static const char warning[] = ": warning: ";
    OWN(json) json_t *lines = problems_json(problems);
    for (size_t i = 0; i < json_array_size(lines); i++) {
        const char *line = json_string_value(json_array_get(lines, i));
        doctor_say(doctor, "config", strstr(line, warning) ? DOCTOR_WARN : DOCTOR_FAIL, NULL, "%s", line);
    }
}

static bool read_config(Doctor *doctor, const char *file) {
    OWN(problems) Problems *problems = problems_new();
    doctor->snapshot = snapshot_load(doctor->ctl->schema, file, true, problems);
    tell_problems(doctor, problems);
    if (!doctor->snapshot || problems_errors(problems)) return false;
    OfflineWatches all = offline_watches(doctor->snapshot);
    const ReceiversSection *receivers = snapshot_section(doctor->snapshot, &receivers_section);
    doctor_say(
        doctor, "config", DOCTOR_OK, NULL, "%s: %zu watched alarms, %zu receivers", file, all.count, receivers->count);
    offline_watches_drop(&all);
    return true;
}

/* --- the whole --- */

static void print_json(const Doctor *doctor) {
    json_t *checks = json_array();
    for (size_t i = 0; i < doctor->count; i++) {
        const Finding *finding = doctor->findings[i];
        json_array_append_new(checks,
            json_pack("{s:s, s:s, s:o, s:o}", "status", statuses[finding->status].word, "area", finding->area, "what",
                json_safe(finding->what), "remedy", json_safe(finding->remedy)));
    }
    OWN(json) json_t *answer = json_pack("{s:b, s:o}", "ok", !doctor->statuses[DOCTOR_FAIL], "checks", checks);
    call_print(doctor->ctl, answer);
}

/* Not while a lookup is left: it ends in the loop and in what asked for it. */
static void doctor_drop(Doctor *doctor) {
    if (doctor->ctl->is_left_busy) return;
    for (size_t i = 0; i < doctor->count; i++) {
        free(doctor->findings[i]->what);
        free(doctor->findings[i]->remedy);
        free(doctor->findings[i]);
    }
    free(doctor->findings);
    for (size_t i = 0; i < doctor->job_count; i++) {
        free(doctor->jobs[i]->about);
        json_decref(doctor->jobs[i]->config);
        free(doctor->jobs[i]);
    }
    free(doctor->jobs);
    snapshot_free(doctor->snapshot);
    free(doctor);
}

static bool read_limit(const CtlVerb *verb, const CtlContext *ctl, const char *text, int64_t *ret_s) {
    if (!text) return *ret_s = DOCTOR_ALL_S, true;
    if (duration_parse(text, ret_s) && *ret_s > 0 && *ret_s <= DOCTOR_LONGEST_S) return true;
    return verb_usage(verb, ctl, "--timeout cannot be `%.80s`: a duration such as 30s, at most 1h", text), false;
}

static void print_result(const Doctor *doctor, bool was_asked) {
    if (doctor->ctl->json) return print_json(doctor);
    fprintf(doctor->ctl->out, "%zu ok, %zu to look at, %zu failed%s\n", doctor->statuses[DOCTOR_OK],
        doctor->statuses[DOCTOR_WARN], doctor->statuses[DOCTOR_FAIL],
        was_asked ? "" : "; nothing was asked of AWS and receivers");
}

static int run(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    const char *file = arguments->values[OPTION_CONFIG] ? arguments->values[OPTION_CONFIG] : CTL_CONFIG;
    int64_t limit_s;
    if (!read_limit(verb, ctl, arguments->values[OPTION_TIMEOUT], &limit_s)) return CTL_USAGE;
    Doctor *doctor = alloc_zeroed(1, sizeof *doctor); /* not on the stack: a lookup that is left would end in it */
    *doctor = (Doctor){.ctl = ctl, .limit_s = limit_s};
    bool good = read_config(doctor, file);
    doctor_machine(doctor, ctl->socket);
    if (good) good = ask_network(doctor);
    print_result(doctor, good);
    const int status = good && !doctor->statuses[DOCTOR_FAIL] ? CTL_DONE : CTL_FAILED;
    doctor_drop(doctor);
    return status;
}

const CtlVerb verb_doctor = {.name = "doctor",
    .arguments = "",
    .help = "try once what the daemon needs here: configuration, state, AWS, receivers",
    .details =
        "A line a check: ok, warn or FAIL, what was found, and what to do. Fails (1) when one of them is FAIL.\n"
        "Asks AWS one cheap call of each kind that the alarms need, in each account and region (a metric's price\n"
        "at most, or what one second's traces cost to scan), and connects to the receivers, with TLS and login,\n"
        "without sending them anything. The daemon may stand elsewhere: with its user and its environment the\n"
        "answer is its own.",
    .options = options,
    .run = run};
