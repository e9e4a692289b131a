/* daemon/ctl/doctor_receivers.c: can each receiver be reached? Connection, TLS and login are tried; nobody gets a
 * message. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "ctl/doctor.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGERDUTY "https://events.pagerduty.com/" /* the plugin's own, where no address is given */
#define EXEC_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" /* what the daemon's children have */
#define TOPIC_ACTION "sns:GetTopicAttributes"
enum { PORT_SMTPS = 465 };

static const Secret *secret_of(const DoctorJob *job, const char *key) {
    const json_int_t number = json_integer_value(json_object_get(job->config, key));
    return number > 0 ? snapshot_secret(job->doctor->snapshot, (size_t)number) : NULL;
}

/* --- webhooks --- */

static void reached(void *ctx, const HttpAnswer *answer) {
    DoctorJob *job = ctx;
    if (answer->outcome == HTTP_ANSWERED)
        doctor_end(job, DOCTOR_OK, NULL, "%s can be reached (connection and TLS)", job->about);
    else if (answer->outcome == HTTP_CANCELLED)
        doctor_end_late(job);
    else
        doctor_end(job, DOCTOR_FAIL, "check the address, the way there and the certificate", "%s: %s", job->about,
            answer->error);
}

static void reach(DoctorJob *job, const char *url, const Secret *url_secret) {
    http_start(job->doctor->http,
        &(HttpRequest){.method = "GET",
            .url = url,
            .url_secret = url_secret,
            .ca_file = json_text(job->config, "ca_file"),
            .cert_file = json_text(job->config, "cert_file"),
            .key_file = json_text(job->config, "key_file"),
            .proxy_url = json_text(job->config, "proxy_url"),
            .guard = HTTP_GUARD_LINK_LOCAL,
            .connect_only = true,
            .timeout_ms = DOCTOR_CALL_MS},
        reached, job);
}

static void no_secret(DoctorJob *job, const char *key) {
    doctor_end(job, DOCTOR_WARN, "run this where the service's secrets are",
        "%s: not tried, for %s cannot be read here", job->about, key);
}

static void reach_webhook(DoctorJob *job) {
    const char *url = json_text(job->config, "url"), *format = json_text(job->config, "format");
    const Secret *secret = secret_of(job, "url_file");
    if (!url && !secret && format && !strcmp(format, "pagerduty")) url = PAGERDUTY;
    if (!url && !secret) return no_secret(job, "url_file");
    reach(job, url, secret);
}

static void reach_heartbeat(DoctorJob *job) {
    const CtlPlaces places = job->doctor->ctl->places(job->doctor->snapshot);
    reach(job, places.heartbeat_url, places.heartbeat_secret);
}

/* --- mail --- */

static void logged_in(void *ctx, const MailAnswer *answer) {
    DoctorJob *job = ctx;
    const bool has_login = json_text(job->config, "username");
    if (answer->outcome == HTTP_ANSWERED && !answer->code && !answer->login_refused)
        doctor_end(job, DOCTOR_OK, NULL, "%s can be reached (%s)", job->about, has_login ? "login too" : "no login");
    else if (answer->outcome == HTTP_CANCELLED)
        doctor_end_late(job);
    else
        doctor_end(job, DOCTOR_FAIL, answer->login_refused ? "check username and password_file" : NULL, "%s: %s",
            job->about, answer->error);
}

/* `smtp.example.org:587`, `[::1]:25`; the plugin has checked it. Caller frees. */
static char *host_of(const char *smarthost, int *ret_port) {
    const char *colon = strrchr(smarthost, ':');
    *ret_port = colon ? atoi(colon + 1) : 0;
    const size_t length = colon ? (size_t)(colon - smarthost) : strlen(smarthost);
    const bool is_v6 = length > 1 && *smarthost == '[';
    return text_copy_length(smarthost + is_v6, length - 2 * is_v6);
}

static void reach_mail(DoctorJob *job) {
    int port;
    OWN(text) char *host = host_of(json_text(job->config, "smarthost"), &port);
    const json_t *implicit = json_object_get(job->config, "implicit_tls");
    const char *user = json_text(job->config, "username");
    const Secret *password = secret_of(job, "password_file");
    if (user && !password) return no_secret(job, "password_file");
    mail_start(job->doctor->http,
        &(MailRequest){.host = host,
            .port = port,
            .implicit_tls = implicit ? json_is_true(implicit) : port == PORT_SMTPS,
            .require_tls = !json_is_false(json_object_get(job->config, "require_tls")),
            .ca_file = json_text(job->config, "ca_file"),
            .username = user,
            .password = password,
            .auth = json_text(job->config, "auth"),
            .login_only = true,
            .timeout_ms = DOCTOR_CALL_MS},
        logged_in, job);
}

/* --- topics --- */

/* Only the doctor asks that: a policy that grants the least that the daemon needs is no fault. */
static void topic_known(void *ctx, const AwsAnswer *answer) {
    DoctorJob *job = ctx;
    if (answer->class == AWS_DENIED)
        doctor_end(job, DOCTOR_WARN, "tocsinctl test-receiver sends one",
            "%s: cannot be tried without " TOPIC_ACTION "; the daemon does not need it", job->about);
    else
        doctor_end_aws(job, answer, NULL);
}

static void reach_topic(DoctorJob *job) {
    OWN(text) char *form = text_format("Action=GetTopicAttributes&Version=2010-03-31&TopicArn=%s", job->topic);
    aws_call(job->doctor->aws,
        &(AwsCall){.account = json_text(job->config, "account"),
            .region = job->region,
            .service = AWS_SNS,
            .operation = "GetTopicAttributes",
            .action = TOPIC_ACTION,
            .body = form,
            .body_length = strlen(form),
            .body_max = 65536,
            .deadline_ms = DOCTOR_CALL_MS},
        topic_known, job);
}

/* --- programs --- */

static bool is_program(const char *folder, size_t length, const char *name) {
    OWN(text) char *path = text_format("%.*s%s%s", (int)length, folder, length ? "/" : "", name);
    return access(path, X_OK) == 0;
}

static bool program_found(const char *name) {
    if (strchr(name, '/')) return is_program("", 0, name);
    for (const char *at = EXEC_PATH; *at; at += strcspn(at, ":"), at += *at == ':')
        if (is_program(at, strcspn(at, ":"), name)) return true;
    return false;
}

static void find_program(DoctorJob *job) {
    const char *name = json_string_value(json_array_get(json_list(job->config, "command"), 0));
    if (name && program_found(name))
        doctor_end(job, DOCTOR_OK, NULL, "%s: %s can be run", job->about, name);
    else
        doctor_end(job, DOCTOR_FAIL, "install it, or mend `command`", "%s: %s is no program that can be run here",
            job->about, name ? name : "nothing");
}

/* --- all of them --- */

static void not_tried(DoctorJob *job) {
    doctor_end(
        job, DOCTOR_WARN, "tocsinctl test-receiver sends one", "%s: it cannot be tried without sending", job->about);
}

static void look_at_channel(Doctor *doctor, const Receiver *receiver, const Channel *channel) {
    static const struct {
        const char *plugin;
        void (*start)(DoctorJob *job);
    } ways[] = {{"webhook", reach_webhook}, {"email", reach_mail}, {"exec", find_program}};
    char *about = text_format("receiver %s, %s %zu", receiver->name, channel->plugin, channel->index + 1);
    DoctorJob *job = doctor_job(doctor, "receivers", not_tried, about);
    job->config = json_read(channel->config_json, strlen(channel->config_json), NULL);
    for (size_t i = 0; i < COUNT_OF(ways); i++)
        if (!strcmp(ways[i].plugin, channel->plugin)) job->start = ways[i].start;
    job->topic = strcmp(channel->plugin, "sns") ? NULL : json_text(job->config, "topic_arn");
    if (!job->topic) return;
    const char *account = json_text(job->config, "account");
    const char *region = job->topic;
    for (int colons = 0; *region && colons < 3; region++) colons += *region == ':';
    job->start = reach_topic;
    json_object_set_new(job->config, "topic_region", json_stringn(region, strcspn(region, ":")));
    job->region = json_text(job->config, "topic_region");
    job->after = account ? doctor_identity(doctor, account) : NULL;
}

void doctor_receiver_jobs(Doctor *doctor) {
    const ReceiversSection *section = snapshot_section(doctor->snapshot, &receivers_section);
    const CtlPlaces places = doctor->ctl->places(doctor->snapshot);
    for (size_t r = 0; r < section->count; r++)
        for (size_t c = 0; c < section->receivers[r].channel_count; c++)
            look_at_channel(doctor, &section->receivers[r], &section->receivers[r].channels[c]);
    if (places.heartbeat_url || places.heartbeat_secret)
        doctor_job(doctor, "receivers", reach_heartbeat, text_copy("the heartbeat's address"));
}
