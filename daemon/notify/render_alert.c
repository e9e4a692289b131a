/* daemon/notify/render_alert.c: an alert's words and JSON */
#include "notify/render_alert.h"

#include "alarms/instance_link.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timetext.h"
#include "notify/rest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_END "0001-01-01T00:00:00Z" /* Go's zero time: what Alertmanager says of a firing alert */

Labels *render_labels_copy(const Labels *labels) {
    const size_t count = labels_count(labels);
    Label *pairs = alloc_zeroed(count + 1, sizeof *pairs);
    for (size_t i = 0; i < count; i++) pairs[i] = labels_at(labels, i);
    Labels *copy = labels_new(pairs, count);
    free(pairs);
    return copy;
}

enum { SERIES_WORDS_MAX = 2048 };

static char *text_or_empty(const char *text) { return text_copy(text ? text : ""); }

/* ` (checkout -> payments)`, where an alarm has an instance for each of many series. Caller frees. */
static char *series_words(const Instance *i) {
    const Source *source = i->alarm ? i->alarm->source : NULL;
    if (!source || (source->series && !source->has_events) || !labels_count(i->series)) return text_copy("");
    if (source->series_words) {
        OWN(text) char *words = source->series_words(i->series);
        return text_format(" (%s)", words);
    }
    Buffer out = BUFFER((size_t)SERIES_WORDS_MAX);
    for (size_t k = 0; k < labels_count(i->series); k++)
        buffer_format(&out, "%s%s %s", k ? ", " : " (", labels_at(i->series, k).name, labels_at(i->series, k).value);
    buffer_text(&out, ")");
    return buffer_take(&out);
}

void render_alert_copy(RenderAlert *into, const GroupAlert *alert, int64_t now_ms) {
    const Instance *i = alert->instance;
    const Alarm *alarm = i->alarm;
    const bool is_firing = alert->kind == ALERT_FIRES;
    const Ack *ack = is_firing ? alert->ack : NULL;
    const bool has_threshold = alarm && alarm_has_threshold(alarm);
    *into = (RenderAlert){
        .is_firing = is_firing,
        .no_data = is_firing && alert->no_data,
        .is_flapping = is_firing && i->hold.flap.is_flapping,
        .is_gone = i->gone,
        .is_rest = alert->is_rest,
        .is_news = rest_is_news(alert),
        .labels = render_labels_copy(i->labels),
        .annotations = render_labels_copy(i->annotations),
        .notes = render_labels_copy(i->facts.notes),
        .name = text_or_empty(i->name),
        .reason = text_or_empty(i->facts.reason),
        .console_url = instance_link(i),
        .what = text_or_empty(i->facts.what),
        .acked_by = text_or_empty(ack ? ack->by : NULL),
        .acked_comment = text_or_empty(ack ? ack->comment : NULL),
        .series = series_words(i),
        .instance = i,
        .matches = i->news,
        .more = alert->more,
        .value = i->facts.value,
        .threshold = i->facts.threshold,
        .worst = i->facts.worst,
        .sign = has_threshold ? comparison_sign(alarm->rule.comparison) : "",
        .window_s = has_threshold ? (int64_t)alarm->rule.n * alarm->rule.period_s : 0,
        .starts_ms = i->firing_since_ms,
        .ends_ms = is_firing ? 0
            : i->resolved_ms ? i->resolved_ms
                             : now_ms,
    };
    memcpy(into->fingerprint, alert->fingerprint, FINGERPRINT_TEXT);
}

void render_alert_deinit(RenderAlert *alert) {
    labels_free(alert->labels);
    labels_free(alert->annotations);
    labels_free(alert->notes);
    free(alert->name);
    free(alert->reason);
    free(alert->console_url);
    free(alert->what);
    free(alert->series);
    free(alert->changed);
    free(alert->acked_by);
    free(alert->acked_comment);
    *alert = (RenderAlert){0};
}

/* --- how long it may become --- */

/* All but the texts themselves: keys, times, numbers, the words of a summary, an escalation's remark. */
enum { BRIEF_FRAME_MAX = 1024, PAIR_FRAME = 6 };

/* A text's bytes in JSON, at most: six for what is written by its code, three for a byte that is no UTF-8 or belongs to
 * a character that is so written. */
static size_t text_room(const char *text) {
    size_t room = 0;
    for (const unsigned char *p = (const unsigned char *)(text ? text : ""); *p; p++)
        room += *p < ' ' || *p == 0x7f ? 6 : *p >= 0x80 ? 3 : *p == '"' || *p == '\\' ? 2 : 1;
    return room;
}

static size_t labels_room(const Labels *labels) {
    size_t room = 0;
    for (size_t i = 0; i < labels_count(labels); i++) {
        const Label label = labels_at(labels, i);
        room += text_room(label.name) + text_room(label.value) + PAIR_FRAME;
    }
    return room;
}

size_t render_alert_brief_room(const GroupAlert *alert, const char *escalated_from) {
    const Instance *i = alert->instance;
    OWN(text) char *link = instance_link(i);
    size_t summary = text_room(i->name) + labels_room(i->series) + text_room(i->facts.reason) +
        text_room(labels_get(i->labels, "account")) + text_room(labels_get(i->labels, "region"));
    if (alert->ack) summary += text_room(alert->ack->by);
    return BRIEF_FRAME_MAX + labels_room(i->labels) + labels_room(i->annotations) + text_room(link) + summary +
        text_room(escalated_from);
}

/* --- words --- */

enum { WORDS_MAX = 64 };

/* Four significant figures, whole numbers from 1,000 on: what a person takes in. Where that would make the value look
 * like its threshold, all figures. */
static const char *number_words(double value, double beside, char text[static NUMBER_TEXT_MAX]) {
    char rough[NUMBER_TEXT_MAX * 16];
    snprintf(rough, sizeof rough, fabs(value) >= 1000 ? "%.0f" : "%.4g", value);
    const double rounded = strtod(rough, NULL);
    return number_format(rounded == beside ? value : rounded, text);
}

/* `45 s`, `5 min`, `1 h 30 min`, `3 d 4 h`. */
static const char *span_words(int64_t seconds, char text[static WORDS_MAX]) {
    static const struct Unit {
        int64_t seconds;
        const char *word;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    if (seconds < 0) seconds = 0;
    size_t at = 0;
    while (at + 1 < COUNT_OF(units) && seconds < units[at].seconds) at++;
    const int64_t whole = seconds / units[at].seconds, rest = seconds % units[at].seconds;
    int used = snprintf(text, WORDS_MAX, "%lld %s", (long long)whole, units[at].word);
    if (at + 2 < COUNT_OF(units) && rest >= units[at + 1].seconds) /* seconds beside minutes tell nobody anything */
        snprintf(text + used, WORDS_MAX - (size_t)used, " %lld %s", (long long)(rest / units[at + 1].seconds),
            units[at + 1].word);
    return text;
}

/* `LEAD prod eu-west-1TAIL`, or nothing where it has neither account nor region. Caller frees. */
static char *where_words(const RenderAlert *alert, const char *lead, const char *tail) {
    const char *account = labels_get(alert->labels, "account"), *region = labels_get(alert->labels, "region");
    if (!*account && !*region) return text_copy("");
    return text_format("%s%s%s%s%s", lead, account, *account && *region ? " " : "", region, tail);
}

static char *firing_words(const RenderAlert *alert, int64_t now_ms) {
    char span[WORDS_MAX], value[NUMBER_TEXT_MAX], threshold[NUMBER_TEXT_MAX];
    OWN(text) char *in = where_words(alert, " in ", ""), *beside = where_words(alert, " (", ")");
    if (alert->is_flapping)
        return text_format(
            "%s%s is flapping: it goes off and clears again and again%s", alert->name, alert->series, in);
    if (isnan(alert->value) || isnan(alert->threshold)) {
        if (alert->no_data)
            return text_format("%s%s still fires, but its data is missing%s", alert->name, alert->series, in);
        if (alert->more)
            return text_format("%s%s%s: %lld more, %lld in all: %s", alert->name, alert->series, beside,
                (long long)alert->more, (long long)alert->matches, alert->reason);
        return text_format("%s%s%s: %s", alert->name, alert->series, beside, alert->reason);
    }
    number_words(alert->value, alert->threshold, value);
    number_format(alert->threshold, threshold);
    span_words(alert->window_s + (now_ms - alert->starts_ms) / 1000, span);
    const char *gap = *alert->sign ? " " : "";
    if (alert->no_data)
        return text_format("%s%s still fires, but its data is missing: last %s (%s%s%s)%s", alert->name, alert->series,
            value, alert->sign, gap, threshold, in);
    return text_format(
        "%s%s is %s (%s%s%s) for %s%s", alert->name, alert->series, value, alert->sign, gap, threshold, span, in);
}

static char *resolved_words(const RenderAlert *alert) {
    char span[WORDS_MAX], value[NUMBER_TEXT_MAX], threshold[NUMBER_TEXT_MAX];
    OWN(text) char *in = where_words(alert, " in ", "");
    span_words((alert->ends_ms - alert->starts_ms) / 1000, span);
    if (alert->is_gone || isnan(alert->value) || isnan(alert->threshold))
        return text_format("%s%s is over after %s%s: %s", alert->name, alert->series, span, in, alert->reason);
    number_words(alert->value, alert->threshold, value);
    number_format(alert->threshold, threshold);
    return text_format("%s%s is back at %s (was %s%s%s) after %s%s", alert->name, alert->series, value, alert->sign,
        *alert->sign ? " " : "", threshold, span, in);
}

char *render_alert_summary(const RenderAlert *alert, int64_t now_ms) {
    if (!alert->is_firing) return resolved_words(alert);
    char *words = firing_words(alert, now_ms);
    if (!*alert->acked_by) return words;
    OWN(text) char *plain = words;
    return text_format("%s, acknowledged by %s", plain, alert->acked_by);
}

/* --- JSON --- */

static void add_text(json_t *to, const char *key, const char *text) {
    if (text && *text) json_object_set_new(to, key, json_safe(text));
}

static void add_number(json_t *to, const char *key, double value) {
    char text[NUMBER_TEXT_MAX];
    if (!isnan(value)) add_text(to, key, number_format(value, text));
}

static json_t *annotations_json(const RenderAlert *alert, int64_t now_ms) {
    json_t *all = json_object();
    char text[TIME_TEXT_MAX];
    OWN(text) char *summary = render_alert_summary(alert, now_ms);
    add_text(all, "summary", summary);
    add_number(all, "value", alert->value);
    add_number(all, "threshold", alert->threshold);
    add_text(all, "reason", alert->reason);
    add_text(all, "metric", alert->what);
    if (alert->no_data) add_text(all, "data", "missing");
    add_text(all, "what_changed", alert->changed);
    add_text(all, "acknowledged_by", alert->acked_by);
    add_text(all, "acknowledged_comment", alert->acked_comment);
    if (alert->is_flapping) add_text(all, "flapping", "true");
    if (alert->matches) add_number(all, "matches", (double)alert->matches);
    if (alert->more) add_number(all, "more", (double)alert->more);
    add_number(all, "worst_value", alert->worst);
    if (!alert->is_firing) {
        add_text(all, "duration", duration_format((alert->ends_ms - alert->starts_ms) / 1000, text));
        if (!alert->is_gone) add_number(all, "cleared_value", alert->value);
    }
    OWN(json) json_t *found = labels_json(alert->notes);
    json_object_update(all, found);
    OWN(json) json_t *own = labels_json(alert->annotations); /* what a person wrote wins over what we made up */
    json_object_update(all, own);
    return all;
}

static json_t *brief_annotations_json(const RenderAlert *alert, int64_t now_ms) {
    json_t *all = json_object();
    OWN(text) char *summary = render_alert_summary(alert, now_ms);
    add_text(all, "summary", summary);
    OWN(json) json_t *own = labels_json(alert->annotations);
    json_object_update(all, own);
    return all;
}

static json_t *alert_json(const RenderAlert *alert, json_t *take_annotations) {
    json_t *json = json_object();
    json_object_set_new(json, "status", json_string(alert->is_firing ? "firing" : "resolved"));
    json_object_set_new(json, "labels", labels_json(alert->labels));
    json_object_set_new(json, "annotations", take_annotations);
    json_object_set_new(json, "startsAt", json_time(alert->starts_ms));
    json_object_set_new(json, "endsAt", alert->is_firing ? json_string(NO_END) : json_time(alert->ends_ms));
    json_object_set_new(json, "generatorURL", json_safe(alert->console_url));
    json_object_set_new(json, "fingerprint", json_string(alert->fingerprint));
    return json;
}

json_t *render_alert_json(const RenderAlert *alert, int64_t now_ms) {
    return alert_json(alert, annotations_json(alert, now_ms));
}

json_t *render_alert_brief(const RenderAlert *alert, int64_t now_ms) {
    return alert_json(alert, brief_annotations_json(alert, now_ms));
}
