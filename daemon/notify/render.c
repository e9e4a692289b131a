/* daemon/notify/render.c: the canonical message */
#include "notify/render.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/timetext.h"
#include "notify/delivery.h"
#include "notify/render_alert.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Channel {
    char id[UUID_TEXT];
    ReceiverChannel as; /* its text is a copy */
} Channel;

struct RenderInput {
    char *key, *group_key, *receiver, *external_url;
    char *remark; /* why it comes to this receiver, behind the subject and in each alert; "": it is its own */
    const char *reason; /* static */
    Labels *labels; /* of the group; a copy */
    RenderAlert fires[RENDER_ALERTS_MAX], ends[RENDER_ALERTS_MAX]; /* in the order in which they are told */
    size_t fires_count, ends_count;
    RenderAlert *rest; /* named beside those, what ended first; none where no keeper hears of it */
    size_t rest_count;
    size_t firing, ended; /* these count all */
    size_t rest_firing, known; /* fire and are named; ... or a keeper knows them by name from before */
    bool was_counted;
    Channel *channels;
    size_t channel_count;
    int64_t now_ms;
};

typedef struct Message {
    char id[UUID_TEXT];
    char *plugin, *json;
    size_t index;
} Message;

struct Rendered {
    char *key, *receiver;
    int64_t created_ms;
    Message *messages;
    size_t count;
};

/* --- the input --- */

static void copy_names(RenderInput *input, const TurnNames *names) {
    input->fires_count = names->fires_count;
    input->ends_count = names->ends_count;
    for (size_t i = 0; i < names->fires_count; i++) render_alert_copy(&input->fires[i], names->fires[i], input->now_ms);
    for (size_t i = 0; i < names->ends_count; i++) render_alert_copy(&input->ends[i], names->ends[i], input->now_ms);
    input->rest = alloc_zeroed(names->rest_count + 1, sizeof *input->rest);
    for (size_t i = 0; i < names->rest_count; i++)
        if (!names->rest[i]->is_shown)
            render_alert_copy(&input->rest[input->rest_count++], names->rest[i], input->now_ms);
    input->rest_firing = names->rest_firing;
    input->known = names->known;
    input->was_counted = names->was_counted;
}

/* Caller frees. */
static char *escalation_text(const GroupTurn *turn) {
    char span[TIME_TEXT_MAX];
    if (!turn->escalated_from || !turn->firing) return text_copy("");
    duration_format(turn->escalated_after_s, span);
    return text_format("not acknowledged within %s of telling %s", span, turn->escalated_from);
}

RenderInput *render_input_new(const GroupTurn *turn, const ReceiverChannel *channels, size_t channel_count,
    const char *external_url, int64_t now_ms, RenderChanged *changed, void *ctx) {
    RenderInput *input = alloc_zeroed(1, sizeof *input);
    input->key = text_copy(turn->key);
    input->group_key = text_copy(turn_group_key(turn));
    input->receiver = text_copy(turn->receiver);
    input->external_url = text_copy(external_url);
    input->remark = escalation_text(turn);
    input->reason = turn->reason;
    input->labels = render_labels_copy(turn->labels);
    input->firing = turn->firing;
    input->ended = turn->ended;
    input->now_ms = now_ms;
    copy_names(input, &turn->names);
    for (size_t i = 0; changed && i < input->fires_count; i++)
        input->fires[i].changed = changed(ctx, input->fires[i].instance);
    input->channels = alloc_zeroed(channel_count + 1, sizeof *input->channels);
    input->channel_count = channel_count;
    for (size_t i = 0; i < channel_count; i++) {
        Channel *channel = &input->channels[i];
        channel->as = channels[i];
        channel->as.plugin = text_copy(channels[i].plugin);
        uuid_make(channel->id);
    }
    return input;
}

RenderInput *render_input_free(RenderInput *input) {
    if (!input) return NULL;
    for (size_t i = 0; i < input->channel_count; i++) free((char *)input->channels[i].as.plugin);
    free(input->channels);
    for (size_t i = 0; i < input->fires_count; i++) render_alert_deinit(&input->fires[i]);
    for (size_t i = 0; i < input->ends_count; i++) render_alert_deinit(&input->ends[i]);
    for (size_t i = 0; i < input->rest_count; i++) render_alert_deinit(&input->rest[i]);
    free(input->rest);
    labels_free(input->labels);
    free(input->external_url);
    free(input->remark);
    free(input->receiver);
    free(input->group_key);
    free(input->key);
    free(input);
    return NULL;
}

/* --- the subject --- */

enum { SUBJECT_NAMES = 3 };

/* What is told in full, what fires before what ended. */
typedef struct Shown {
    const RenderAlert *list[RENDER_ALERTS_MAX];
    size_t count;
} Shown;

static bool has_name_before(const Shown *shown, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(shown->list[i]->name, name)) return true;
    return false;
}

/* The alarms' names, the first SUBJECT_NAMES of them. Caller frees. */
static char *names_text(const Shown *shown) {
    Buffer out = BUFFER((size_t)8192);
    size_t names = 0;
    for (size_t i = 0; i < shown->count; i++) {
        const char *name = shown->list[i]->name;
        if (has_name_before(shown, i, name)) continue;
        if (names++ < SUBJECT_NAMES) buffer_format(&out, "%s%s", names > 1 ? ", " : "", name);
    }
    if (names > SUBJECT_NAMES) buffer_format(&out, " and %zu more", names - SUBJECT_NAMES);
    return buffer_take(&out);
}

/* A label's value where all agree in it, else "". */
static const char *common_value(const Shown *shown, const char *name) {
    const char *value = shown->count ? labels_get(shown->list[0]->labels, name) : "";
    for (size_t i = 1; i < shown->count; i++)
        if (strcmp(value, labels_get(shown->list[i]->labels, name)) != 0) return "";
    return value;
}

/* `[FIRING:2] api-latency-p99 (prod eu-west-1)`; caller frees. */
static char *subject_text(const Shown *shown, size_t firing) {
    OWN(text) char *names = names_text(shown);
    OWN(text) char *head = firing ? text_format("[FIRING:%zu]", firing) : text_copy("[RESOLVED]");
    const char *account = common_value(shown, "account"), *region = common_value(shown, "region");
    if (!*account && !*region) return text_format("%s %s", head, names);
    return text_format("%s %s (%s%s%s)", head, names, account, *account && *region ? " " : "", region);
}

/* --- the body --- */

/* What all alerts say alike under `key` (labels, annotations); new reference. */
static json_t *common_part(const json_t *alerts, const char *key) {
    json_t *common = json_deep_copy(json_object_get(json_array_get(alerts, 0), key));
    if (!common) return json_object();
    for (size_t i = 1; i < json_array_size(alerts); i++) {
        const json_t *other = json_object_get(json_array_get(alerts, i), key);
        const char *name;
        json_t *value;
        void *next;
        json_object_foreach_safe(common, next, name, value) {
            if (!json_equal(value, json_object_get(other, name))) json_object_del(common, name);
        }
    }
    return common;
}

typedef struct Body {
    Shown shown;
    size_t firing, all; /* that fire; that there are */
    const char *group_key, *receiver, *external_url, *reason, *remark;
    const Labels *labels;
    int64_t now_ms;
} Body;

static json_t *remarked(json_t *alert, const char *remark) {
    if (*remark) json_object_set_new(json_object_get(alert, "annotations"), "escalation", json_safe(remark));
    return alert;
}

static json_t *body_json(const Body *body) {
    json_t *alerts = json_array(), *json = json_object();
    for (size_t i = 0; i < body->shown.count; i++)
        json_array_append_new(alerts, remarked(render_alert_json(body->shown.list[i], body->now_ms), body->remark));
    json_object_set_new(json, "version", json_string("4"));
    json_object_set_new(json, "groupKey", json_safe(body->group_key));
    json_object_set_new(json, "truncatedAlerts", json_integer((json_int_t)(body->all - body->shown.count)));
    json_object_set_new(json, "status", json_string(body->firing ? "firing" : "resolved"));
    json_object_set_new(json, "receiver", json_safe(body->receiver));
    json_object_set_new(json, "groupLabels", labels_json(body->labels));
    json_object_set_new(json, "commonLabels", common_part(alerts, "labels"));
    json_object_set_new(json, "commonAnnotations", common_part(alerts, "annotations"));
    json_object_set_new(json, "externalURL", json_safe(body->external_url));
    json_object_set_new(json, "notification_reason", json_string(body->reason));
    json_object_set_new(json, "alerts", alerts);
    return json;
}

static char *message_text(const Body *body, const char *id, bool is_test, json_t *take_rest) {
    OWN(text) char *plain = subject_text(&body->shown, body->firing);
    OWN(text) char *subject = text_format("%s%s%s", plain, *body->remark ? ": " : "", body->remark);
    OWN(json) json_t *message = json_object();
    json_object_set_new(message, "id", json_string(id));
    json_object_set_new(message, "created_at", json_time(body->now_ms));
    json_object_set_new(message, "receiver", json_safe(body->receiver));
    json_object_set_new(message, "subject", json_safe(subject));
    json_object_set_new(message, "test", json_boolean(is_test));
    json_object_set_new(message, "webhook", body_json(body));
    if (take_rest) json_object_set_new(message, "rest", take_rest);
    return json_write(message);
}

/* --- the rest --- */

static bool is_shown(const Shown *shown, const RenderAlert *alert) {
    for (size_t i = 0; i < shown->count; i++)
        if (shown->list[i] == alert) return true;
    return false;
}

static bool is_rest_of(const RenderAlert *alert, const ReceiverChannel *channel) {
    if (!alert->is_rest) return false;
    return alert->is_firing ? alert->is_news || channel->wants_again : channel->send_resolved;
}

static void rest_add(json_t *to, const RenderInput *input, const ReceiverChannel *channel, const Shown *shown,
    const RenderAlert *alerts, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (is_rest_of(&alerts[i], channel) && !is_shown(shown, &alerts[i]))
            json_array_append_new(to, remarked(render_alert_brief(&alerts[i], input->now_ms), input->remark));
}

/* NULL: it is not wanted. */
static json_t *rest_json(const RenderInput *input, const ReceiverChannel *channel, const Shown *shown) {
    if (!channel->wants_rest) return NULL;
    json_t *alerts = json_array();
    rest_add(alerts, input, channel, shown, input->ends, input->ends_count);
    rest_add(alerts, input, channel, shown, input->rest, input->rest_count);
    rest_add(alerts, input, channel, shown, input->fires, input->fires_count);
    const size_t known = channel->wants_again ? input->rest_firing : input->known;
    return json_pack("{s:o,s:I,s:b}", "alerts", alerts, "counted", (json_int_t)(input->firing - known), "was_counted",
        input->was_counted);
}

/* --- messages --- */

static Shown shown_of(const RenderInput *input, bool with_ends) {
    const size_t left = RENDER_ALERTS_MAX - input->fires_count;
    const size_t room = left > RENDER_ENDS_MIN ? left : RENDER_ENDS_MIN;
    const size_t ends = !with_ends ? 0 : input->ends_count < room ? input->ends_count : room;
    Shown shown = {.count = 0};
    for (size_t i = 0; i < input->fires_count && shown.count < RENDER_ALERTS_MAX - ends; i++)
        shown.list[shown.count++] = &input->fires[i];
    for (size_t i = 0; i < ends; i++) shown.list[shown.count++] = &input->ends[i];
    return shown;
}

Rendered *render(const RenderInput *input) {
    Rendered *rendered = alloc_zeroed(1, sizeof *rendered);
    rendered->key = text_copy(input->key);
    rendered->receiver = text_copy(input->receiver);
    rendered->created_ms = input->now_ms;
    rendered->messages = alloc_zeroed(input->channel_count + 1, sizeof *rendered->messages);
    for (size_t i = 0; input->reason && i < input->channel_count; i++) {
        const ReceiverChannel *channel = &input->channels[i].as;
        if (!channel_gets(channel, input->reason, input->firing)) continue;
        const Body body = {
            .shown = shown_of(input, channel->send_resolved),
            .firing = input->firing,
            .all = channel->send_resolved ? input->firing + input->ended : input->firing,
            .group_key = input->group_key,
            .receiver = input->receiver,
            .external_url = input->external_url,
            .reason = input->reason,
            .remark = input->remark,
            .labels = input->labels,
            .now_ms = input->now_ms,
        };
        Message *message = &rendered->messages[rendered->count++];
        *message = (Message){.plugin = text_copy(channel->plugin),
            .json = message_text(&body, input->channels[i].id, false, rest_json(input, channel, &body.shown)),
            .index = channel->index};
        memcpy(message->id, input->channels[i].id, UUID_TEXT);
    }
    return rendered;
}

Rendered *rendered_free(Rendered *rendered) {
    if (!rendered) return NULL;
    for (size_t i = 0; i < rendered->count; i++) {
        free(rendered->messages[i].plugin);
        free(rendered->messages[i].json);
    }
    free(rendered->messages);
    free(rendered->receiver);
    free(rendered->key);
    free(rendered);
    return NULL;
}

size_t rendered_count(const Rendered *rendered) { return rendered->count; }

OutboxRow rendered_row(const Rendered *rendered, size_t index) {
    const Message *message = &rendered->messages[index];
    return (OutboxRow){
        .id = message->id,
        .group_key = rendered->key,
        .receiver = rendered->receiver,
        .plugin = message->plugin,
        .plugin_index = (int64_t)message->index,
        .state = delivery_state_word(DELIVERY_PENDING),
        .created_ms = rendered->created_ms,
        .next_attempt_ms = rendered->created_ms,
        .expires_ms = rendered->created_ms + DELIVERY_LIFE_MS,
        .message_json = message->json,
    };
}

char *render_test(const char *id, const char *receiver, const char *external_url, int64_t now_ms) {
    static const Label labels[] = {{"alertname", "TocsinTest"}, {"severity", "info"}, {"source", SOURCE_TOCSIN}};
    RenderAlert alert = {
        .fingerprint = "0000000000000000",
        .is_firing = true,
        .labels = labels_new(labels, COUNT_OF(labels)),
        .annotations =
            labels_new(&(Label){"description", "Somebody asked for a test of this receiver. Nothing is wrong."}, 1),
        .name = text_copy("TocsinTest"),
        .reason = text_copy("this is a test: messages to this receiver arrive"),
        .console_url = text_copy(""),
        .what = text_copy(""),
        .series = text_copy(""),
        .acked_by = text_copy(""),
        .acked_comment = text_copy(""),
        .value = NAN,
        .threshold = NAN,
        .worst = NAN,
        .sign = "",
        .starts_ms = now_ms,
    };
    OWN(labels) Labels *group = labels_new(labels, 1);
    const Body body = {
        {{&alert}, 1}, 1, 1, "{}:{alertname=\"TocsinTest\"}", receiver, external_url, "test", "", group, now_ms};
    char *text = message_text(&body, id, true, NULL);
    render_alert_deinit(&alert);
    return text;
}

/* --- for another receiver --- */

static void annotate(json_t *alerts, const char *key, const char *text) {
    for (size_t i = 0; i < json_array_size(alerts); i++)
        json_object_set_new(json_object_get(json_array_get(alerts, i), "annotations"), key, json_safe(text));
}

char *render_handover_why(const char *from, int64_t failed_s) {
    char span[TIME_TEXT_MAX];
    return text_format("%s could not be reached for %s", from, duration_format(failed_s, span));
}

char *render_handover(const char *message_json, const RenderHandover *how) {
    OWN(json) json_t *message = json_read(message_json, strlen(message_json), NULL);
    json_t *webhook = json_object_get(message, "webhook");
    const char *before = json_text(message, "subject"), *status = json_text(webhook, "status");
    if (!before || !status) return NULL;
    if (!how->wants_resolved && !strcmp(status, "resolved")) return NULL;
    OWN(text) char *why = render_handover_why(how->from, how->failed_s);
    OWN(text) char *subject = text_format("%s: %s", before, why);
    json_object_set_new(message, "id", json_string(how->id));
    json_object_set_new(message, "created_at", json_time(how->now_ms));
    json_object_set_new(message, "receiver", json_safe(how->to));
    json_object_set_new(message, "subject", json_safe(subject));
    json_object_set_new(webhook, "receiver", json_safe(how->to));
    annotate(json_object_get(webhook, "alerts"), "fallback", why);
    annotate(json_object_get(json_object_get(message, "rest"), "alerts"), "fallback", why);
    json_object_set_new(json_object_get(webhook, "commonAnnotations"), "fallback", json_safe(why));
    return json_write(message);
}
