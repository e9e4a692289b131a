/* sns: Publish to a topic, a FIFO topic or a phone number. */
#include "sns/message.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/own.h"
#include "kit/answer.h"

#include <stdlib.h>
#include <string.h>

enum { HEX = 65 };

typedef struct Sns {
    const TocsinHost *host;
    json_t *config;
    char *region; /* NULL: aws.region */
} Sns;

typedef struct Delivery {
    TocsinDone *done;
    void *ctx;
} Delivery;

static const TocsinKey keys[] = {
    {"topic_arn", "text", NULL, "The topic's ARN. A name that ends in `.fifo` is a FIFO topic."},
    {"phone_number", "text", NULL, "A phone's number, `+` and its digits, in place of a topic."},
    {"account", "account", NULL, "Which of aws.accounts publishes; without it the base credentials."},
    {"region", "text", NULL, "The region of a phone's messages; a topic has its own."},
    {"message_group_id", "text", NULL,
        "FIFO topics: which messages keep their order. Without it those of one group do."},
    {NULL, NULL, NULL, NULL},
};

/* --- check --- */

static bool group_ok(const char *group) {
    const size_t length = strlen(group);
    for (size_t i = 0; i < length; i++)
        if (group[i] <= ' ' || group[i] > '~') return false;
    return length >= 1 && length <= SNS_GROUP_MAX;
}

static void check_topic(const json_t *config, const char *topic, TocsinProblem *problem, void *ctx) {
    if (!sns_topic_ok(topic)) {
        problem(ctx, "/topic_arn", "that is no topic's ARN", "arn:aws:sns:REGION:ACCOUNT:NAME");
        return;
    }
    OWN(text) char *own = sns_topic_region(topic);
    const char *region = json_text(config, "region"), *group = json_text(config, "message_group_id");
    if (region && strcmp(region, own) != 0) problem(ctx, "/region", "the topic is in another region", own);
    if (group && !sns_is_fifo(topic))
        problem(ctx, "/message_group_id", "this topic is no FIFO topic", "take it out");
    else if (group && !group_ok(group))
        problem(ctx, "/message_group_id", "message_group_id cannot be that", "1 to 128 visible ASCII characters");
}

static void check(const char *config_json, TocsinProblem *problem, void *ctx) {
    OWN(json) json_t *config = json_read(config_json, strlen(config_json), NULL);
    const char *topic = json_text(config, "topic_arn"), *phone = json_text(config, "phone_number");
    if (!topic && !phone) problem(ctx, "", "`topic_arn` is missing", "topic_arn or phone_number");
    if (topic && phone) problem(ctx, "/phone_number", "topic_arn and phone_number are both given", "one of them");
    if (topic) check_topic(config, topic, problem, ctx);
    if (phone && !sns_phone_ok(phone))
        problem(ctx, "/phone_number", "that is no phone number",
            "in quotes, `+`, country code and number, at most 15 digits");
    const char *region = json_text(config, "region");
    if (region && (!*region || strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(region)))
        problem(ctx, "/region", "that is no region", "eu-west-1");
    if (!topic && json_text(config, "message_group_id"))
        problem(ctx, "/message_group_id", "only FIFO topics have groups", "take it out");
}

/* --- a handle --- */

static void *init(const char *config_json, const TocsinHost *host) {
    Sns *sns = alloc_zeroed(1, sizeof *sns);
    sns->host = host;
    sns->config = json_read(config_json, strlen(config_json), NULL);
    const char *topic = json_text(sns->config, "topic_arn"), *region = json_text(sns->config, "region");
    sns->region = topic ? sns_topic_region(topic) : region ? text_copy(region) : NULL;
    return sns;
}

static void destroy(void *handle) {
    Sns *sns = handle;
    json_decref(sns->config);
    free(sns->region);
    free(sns);
}

/* --- the answer (I4): a MessageId, and nothing less --- */

static void answered_fine(TocsinDone *done, void *ctx, const TocsinAwsAnswer *answer) {
    OWN(text) char *id = sns_message_id(answer->body);
    if (!id) {
        answer_give(done, ctx, TOCSIN_RETRY, 0, "SNS answered without a MessageId");
        return;
    }
    OWN(text) char *detail = text_format("SNS took it as %s", id);
    OWN(text) char *receipt = text_format("{\"message_id\":\"%s\"}", id);
    const TocsinResult result = {
        .size = sizeof result, .outcome = TOCSIN_DELIVERED, .detail = detail, .receipt_json = receipt};
    done(ctx, &result);
}

static void answered(void *ctx, const TocsinAwsAnswer *answer) {
    Delivery *delivery = ctx;
    TocsinDone *done = delivery->done;
    void *theirs = delivery->ctx;
    free(delivery);
    if (answer->end == TOCSIN_ANSWERED && answer->fine) {
        answered_fine(done, theirs, answer);
        return;
    }
    if (answer->end != TOCSIN_ANSWERED && !*answer->explanation) {
        answer_unanswered(done, theirs, answer->end, NULL);
        return;
    }
    answer_give(done, theirs, answer->may_retry ? TOCSIN_RETRY : TOCSIN_REFUSED, answer->retry_after_ms, "%s%s%s%s%s",
        *answer->explanation ? answer->explanation : "SNS refused it", *answer->code ? "; " : "", answer->code,
        *answer->message ? ": " : "", answer->message);
}

/* --- a delivery --- */

static void publish(const Sns *sns, const char *body, TocsinDone *done, void *ctx) {
    Delivery *delivery = alloc_zeroed(1, sizeof *delivery);
    *delivery = (Delivery){done, ctx};
    const TocsinAwsRequest request = {.size = sizeof request,
        .account = json_text(sns->config, "account"),
        .region = sns->region,
        .service = "sns",
        .operation = "Publish",
        .body = body,
        .body_length = strlen(body)};
    sns->host->aws(sns->host, &request, answered, delivery);
}

static void deliver(void *handle, const char *notification_json, TocsinDone *done, void *ctx) {
    const Sns *sns = handle;
    OWN(notice) Notice *notice = notice_read(notification_json);
    if (!notice) {
        answer_give(done, ctx, TOCSIN_REFUSED, 0, "the stored notification cannot be read");
        return;
    }
    SnsTarget target = {
        .topic_arn = json_text(sns->config, "topic_arn"), .phone_number = json_text(sns->config, "phone_number")};
    char group[HEX];
    if (target.topic_arn && sns_is_fifo(target.topic_arn)) {
        sns->host->sha256(sns->host, 0, notice->group_key, strlen(notice->group_key), group);
        const char *configured = json_text(sns->config, "message_group_id");
        target.group_id = configured ? configured : group;
    }
    OWN(text) char *body = sns_body(notice, &target);
    if (body)
        publish(sns, body, done, ctx);
    else
        answer_give(done, ctx, TOCSIN_REFUSED, 0, "the message is larger than SNS takes, even cut");
}

static const TocsinPlugin plugin = {sizeof(TocsinPlugin), TOCSIN_PLUGIN_ABI, keys, check, init, deliver, destroy};
const TocsinPlugin *tocsin_plugin(void) { return &plugin; }
