/* daemon/notify/render.c: the canonical message */
#include "notify/render.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/timetext.h"
#include "notify/delivery.h"
#include "notify/render_alert.h"
#include "notify/render_pick.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Channel {
    char id[UUID_TEXT];
    char *plugin;
    size_t index;
    bool send_resolved, has_waiting, wants_rest, wants_again;
} Channel;

struct RenderInput {
    char *key, *group_key, *receiver, *external_url;
    char *remark; /* why it comes to this receiver, behind the subject and in each alert; "": it is its own */
    const char *reason; /* static */
    Labels *labels; /* of the group; a copy */
    RenderAlert fires[RENDER_ALERTS_MAX], ends[RENDER_ALERTS_MAX]; /* in the order in which they are told */
    size_t fires_count, ends_count;
    RenderAlert *rest; /* named beside those, what ended first; none where no channel wants it */
    size_t rest_count;
    size_t firing, ended; /* these count all */
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

static size_t copy_shown(const GroupTurn *turn, AlertKind kind, int64_t now_ms, RenderAlert *into) {
    const GroupAlert *shown[RENDER_ALERTS_MAX];
    const size_t count = pick_first(turn, kind, pick_severe_first, RENDER_ALERTS_MAX, shown);
    for (size_t i = 0; i < count; i++) render_alert_copy(&into[i], shown[i], now_ms);
    return count;
}

static RenderAlert *find_copy(RenderAlert *copies, size_t count, const char *fingerprint) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(copies[i].fingerprint, fingerprint)) return &copies[i];
    return NULL;
}

static void name_alert(RenderInput *input, const GroupAlert *alert, bool is_changed) {
    RenderAlert *copy = alert->kind == ALERT_FIRES ? find_copy(input->fires, input->fires_count, alert->fingerprint)
                                                   : find_copy(input->ends, input->ends_count, alert->fingerprint);
    if (!copy) {
        copy = &input->rest[input->rest_count++];
        render_alert_copy(copy, alert, input->now_ms);
    }
    copy->is_named = true;
    copy->is_changed = is_changed;
}

/* How many of those that fire have been named for sure: where more were known than are named, those behind came forward
 * by as many as have left their place. */
static size_t count_kept(const GroupTurn *turn) {
    size_t known = 0, stay = 0;
    for (size_t i = 0; i < turn->alert_count; i++) {
        const GroupAlert *alert = &turn->alerts[i];
        if (!alert_is_told(alert) || !alert->told_at_ms) continue;
        known++;
        stay += alert->kind == ALERT_FIRES && !alert->is_first;
    }
    const size_t left = known > RENDER_REST_MAX ? known - stay : 0;
    return left < RENDER_REST_MAX ? RENDER_REST_MAX - left : 0;
}

static size_t most(size_t count) { return count < RENDER_REST_MAX ? count : RENDER_REST_MAX; }

/* Named are the first RENDER_REST_MAX in the order in which the receiver was told of them: so its end is named of each
 * whose begin was, and of a crowd that shrinks all get their names. */
static void name_rest(RenderInput *input, const GroupTurn *turn) {
    const GroupAlert *named[RENDER_REST_MAX];
    const size_t kept = count_kept(turn);
    input->rest = alloc_zeroed(most(turn->firing) + most(turn->ended) + 1, sizeof *input->rest);
    const size_t ends = pick_first(turn, ALERT_ENDED, pick_known_first, RENDER_REST_MAX, named);
    for (size_t i = 0; i < ends; i++) name_alert(input, named[i], true);
    const size_t fires = pick_first(turn, ALERT_FIRES, pick_known_first, RENDER_REST_MAX, named);
    for (size_t i = 0; i < fires; i++) name_alert(input, named[i], named[i]->is_first || i >= kept);
}

static bool is_rest_wanted(const RenderInput *input) {
    for (size_t i = 0; i < input->channel_count; i++)
        if (input->channels[i].wants_rest) return true;
    return false;
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
    input->fires_count = copy_shown(turn, ALERT_FIRES, now_ms, input->fires);
    input->ends_count = copy_shown(turn, ALERT_ENDED, now_ms, input->ends);
    for (size_t i = 0; changed && i < input->fires_count; i++)
        input->fires[i].changed = changed(ctx, input->fires[i].instance);
    input->channels = alloc_zeroed(channel_count + 1, sizeof *input->channels);
    input->channel_count = channel_count;
    for (size_t i = 0; i < channel_count; i++) {
        Channel *channel = &input->channels[i];
        *channel = (Channel){.plugin = text_copy(channels[i].plugin),
            .index = channels[i].index,
            .send_resolved = channels[i].send_resolved,
            .has_waiting = channels[i].has_waiting,
            .wants_rest = channels[i].wants_rest,
            .wants_again = channels[i].wants_again};
        uuid_make(channel->id);
    }
    if (is_rest_wanted(input)) name_rest(input, turn);
    return input;
}

RenderInput *render_input_free(RenderInput *input) {
    if (!input) return NULL;
    for (size_t i = 0; i < input->channel_count; i++) free(input->channels[i].plugin);
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

typedef struct Rest {
    const RenderInput *input;
    const Channel *channel;
    const Shown *shown;
    json_t *alerts;
    size_t bytes, firing; /* firing: that this message names, shows, or need not name again */
} Rest;

static bool is_shown(const Shown *shown, const RenderAlert *alert) {
    for (size_t i = 0; i < shown->count; i++)
        if (shown->list[i] == alert) return true;
    return false;
}

static bool rest_name(Rest *rest, const RenderAlert *alert) {
    json_t *json = remarked(render_alert_brief(alert, rest->input->now_ms), rest->input->remark);
    const size_t bytes = json_dumpb(json, NULL, 0, 0);
    if (rest->bytes + bytes > RENDER_REST_BYTES_MAX) return json_decref(json), false;
    rest->bytes += bytes;
    json_array_append_new(rest->alerts, json);
    return true;
}

static void rest_add(Rest *rest, const RenderAlert *alerts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const RenderAlert *alert = &alerts[i];
        if (is_shown(rest->shown, alert)) {
            rest->firing += alert->is_firing;
            continue;
        }
        if (!alert->is_named || !(alert->is_firing || rest->channel->send_resolved)) continue;
        const bool is_known = !alert->is_changed && !rest->channel->wants_again;
        if (is_known || rest_name(rest, alert)) rest->firing += alert->is_firing;
    }
}

/* What ended stands first: should there be no room, what fires is at least counted. NULL: it is not wanted. */
static json_t *rest_json(const RenderInput *input, const Channel *channel, const Shown *shown) {
    if (!channel->wants_rest) return NULL;
    Rest rest = {.input = input, .channel = channel, .shown = shown, .alerts = json_array()};
    rest_add(&rest, input->ends, input->ends_count);
    rest_add(&rest, input->rest, input->rest_count);
    rest_add(&rest, input->fires, input->fires_count);
    return json_pack("{s:o,s:I}", "alerts", rest.alerts, "counted", (json_int_t)(input->firing - rest.firing));
}

/* --- messages --- */

static bool wants(const Channel *channel, const RenderInput *input) {
    if (channel->has_waiting && reason_is_repeat(input->reason)) return false;
    return channel->send_resolved || (input->firing && !reason_is_resolved(input->reason));
}

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
        const Channel *channel = &input->channels[i];
        if (!wants(channel, input)) continue;
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
            .json = message_text(&body, channel->id, false, rest_json(input, channel, &body.shown)),
            .index = channel->index};
        memcpy(message->id, channel->id, UUID_TEXT);
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
