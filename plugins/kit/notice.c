#include "kit/notice.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/timetext.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_text(object, key);
    return text ? text : "";
}

/* A link that a person may follow: nothing that runs. */
static const char *link_of(const json_t *object, const char *key) {
    const char *text = text_of(object, key);
    return strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0 ? text : "";
}

static int64_t time_of(const json_t *object, const char *key) {
    int64_t ms = 0;
    return time_parse(text_of(object, key), &ms) && ms > 0 ? ms : 0;
}

static NoticeAlert alert_read(const json_t *from) {
    const json_t *labels = json_map(from, "labels"), *notes = json_map(from, "annotations");
    return (NoticeAlert){
        .is_firing = strcmp(text_of(from, "status"), "resolved") != 0,
        .fingerprint = text_of(from, "fingerprint"),
        .name = text_of(labels, "alertname"),
        .severity = text_of(labels, "severity"),
        .account = text_of(labels, "account"),
        .region = text_of(labels, "region"),
        .summary = text_of(notes, "summary"),
        .description = text_of(notes, "description"),
        .reason = text_of(notes, "reason"),
        .value = text_of(notes, "value"),
        .threshold = text_of(notes, "threshold"),
        .metric = text_of(notes, "metric"),
        .duration = text_of(notes, "duration"),
        .worst = text_of(notes, "worst_value"),
        .cleared = text_of(notes, "cleared_value"),
        .acked_by = text_of(notes, "acknowledged_by"),
        .acked_comment = text_of(notes, "acknowledged_comment"),
        .data = text_of(notes, "data"),
        .runbook_url = link_of(notes, "runbook_url"),
        .console_url = link_of(from, "generatorURL"),
        .starts_ms = time_of(from, "startsAt"),
        .ends_ms = time_of(from, "endsAt"),
        .labels = labels,
        .annotations = notes,
    };
}

/* At most NOTICE_ALERTS_MAX of them. */
static size_t alerts_read(const json_t *list, NoticeAlert **ret_alerts) {
    const size_t all = json_array_size(list), count = all < NOTICE_ALERTS_MAX ? all : NOTICE_ALERTS_MAX;
    *ret_alerts = alloc_zeroed(count + 1, sizeof **ret_alerts);
    for (size_t i = 0; i < count; i++) (*ret_alerts)[i] = alert_read(json_array_get(list, i));
    return count;
}

static size_t size_of(const json_t *object, const char *key) {
    int64_t value = 0;
    return json_whole(object, key, &value) && value > 0 ? (size_t)value : 0;
}

Notice *notice_read(const char *json) {
    json_t *root = json ? json_read(json, strnlen(json, NOTICE_BYTES_MAX), NULL) : NULL;
    const json_t *webhook = json_map(root, "webhook");
    if (!webhook || !json_text(root, "id")) return json_decref(root), NULL;
    OWN(notice) Notice *notice = alloc_zeroed(1, sizeof *notice);
    const json_t *alerts = json_list(webhook, "alerts"), *rest = json_map(root, "rest");
    *notice = (Notice){
        .root = root,
        .webhook = webhook,
        .id = text_of(root, "id"),
        .created_at = text_of(root, "created_at"),
        .receiver = text_of(root, "receiver"),
        .subject = text_of(root, "subject"),
        .group_key = text_of(webhook, "groupKey"),
        .external_url = link_of(webhook, "externalURL"),
        .is_firing = strcmp(text_of(webhook, "status"), "resolved") != 0,
        .is_test = json_flag(root, "test", false),
        .created_ms = time_of(root, "created_at"),
    };
    notice->count = alerts_read(alerts, &notice->alerts);
    notice->rest_count = alerts_read(json_list(rest, "alerts"), &notice->rest);
    notice->truncated = size_of(webhook, "truncatedAlerts") + (json_array_size(alerts) - notice->count);
    notice->counted = rest ? size_of(rest, "counted") : notice->truncated;
    notice->was_counted = json_flag(rest, "was_counted", false);
    return GIVE(notice);
}

Notice *notice_free(Notice *notice) {
    if (!notice) return NULL;
    json_decref(notice->root);
    free(notice->alerts);
    free(notice->rest);
    free(notice);
    return NULL;
}

/* --- words --- */

static bool is_resource(const char *label) {
    static const char *const others[] = {"alertname", "severity", "source", "account", "account_id", "region"};
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (strcmp(label, others[i]) == 0) return false;
    return true;
}

const char *notice_resource_next(const NoticeAlert *alert, const char *after, const char **ret_value) {
    json_t *labels = (json_t *)(uintptr_t)alert->labels; /* jansson's iterators want it so; nothing is changed */
    void *at = after ? json_object_iter_next(labels, json_object_key_to_iter(after)) : json_object_iter(labels);
    for (; at; at = json_object_iter_next(labels, at)) {
        const char *value = json_string_value(json_object_iter_value(at));
        if (!value || !is_resource(json_object_iter_key(at))) continue;
        *ret_value = value;
        return json_object_iter_key(at);
    }
    return NULL;
}

const NoticeFact notice_facts[] = {
    {"path", "cause"},
    {"affected", "affected"},
    {"impact", "impact"},
    {"insight_summary", "insight"},
    {"who", "who"},
    {"from", "from"},
    {"result", "result"},
    {"matches", "how often"},
    {"first_event", "first"},
    {"last_event", "last"},
    {"fields", "fields"},
    {"events", "events"},
    {"falsepositives", "harmless?"},
    {"trace_links", "traces"},
    {"what_changed", "changed"},
    {"acknowledged_by", "known to"},
    {NULL, NULL},
};

const char *notice_fact(const NoticeAlert *alert, const NoticeFact *fact) {
    return text_of(alert->annotations, fact->annotation);
}

char *notice_figures(const NoticeAlert *alert) {
    if (!*alert->value) return text_copy(*alert->threshold ? alert->threshold : "");
    if (!*alert->threshold) return text_copy(alert->value);
    return text_format("%s, threshold %s", alert->value, alert->threshold);
}

char *notice_ack(const NoticeAlert *alert) {
    return text_format("%s%s%s", alert->acked_by, *alert->acked_by && *alert->acked_comment ? ": " : "",
        *alert->acked_by ? alert->acked_comment : "");
}

char *notice_glance(const Notice *notice) {
    Buffer out = BUFFER((size_t)256);
    size_t firing = 0;
    for (size_t i = 0; i < notice->count; i++) firing += notice->alerts[i].is_firing;
    const size_t resolved = notice->count - firing;
    if (notice->count + notice->truncated < 2) return buffer_take(&out);
    if (firing) buffer_format(&out, "%zu firing", firing);
    if (resolved) buffer_format(&out, "%s%zu resolved", out.used ? ", " : "", resolved);
    if (notice->truncated) buffer_format(&out, "%s%zu more", out.used ? ", " : "", notice->truncated);
    return buffer_take(&out);
}

char *notice_where(const NoticeAlert *alert) {
    Buffer out = BUFFER((size_t)65536);
    if (*alert->account) buffer_format(&out, "account %s", alert->account);
    if (*alert->region) buffer_format(&out, "%sregion %s", out.used ? ", " : "", alert->region);
    const char *value = "";
    for (const char *name = NULL; (name = notice_resource_next(alert, name, &value));)
        buffer_format(&out, "%s%s %s", out.used ? ", " : "", name, value);
    return buffer_take(&out);
}

char *notice_time(int64_t ms) {
    char text[TIME_TEXT_MAX];
    time_format(ms, text);
    return text_format("%.10s %.8s UTC", text, text + 11);
}
