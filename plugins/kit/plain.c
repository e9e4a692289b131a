#include "kit/plain.h"

#include "base/alloc.h"
#include "base/escape.h"

#include <stdlib.h>
#include <string.h>

enum { ROW_VALUE_MAX = 2000 };

/* One line of its own: what comes from outside cannot begin another, nor change how this one is shown. */
static void put(Buffer *out, const char *text, size_t max) {
    const size_t length = strlen(text);
    for (size_t i = 0, step; i < length; i += step) {
        bool harmful;
        step = escape_step(text + i, length - i, &harmful);
        if (i + step > max) return;
        buffer_add(out, harmful ? " " : text + i, harmful ? 1 : step);
    }
}

static void row(Buffer *out, const char *name, const char *value) {
    if (!*value) return;
    buffer_format(out, "  %-10s ", name);
    put(out, value, ROW_VALUE_MAX);
    buffer_text(out, "\n");
}

/* Several lines, each of its own: what comes from outside cannot pass for a name of ours. */
static void rows(Buffer *out, const char *name, const char *value) {
    for (const char *line = value; *line;) {
        const size_t length = strcspn(line, "\n");
        OWN(text) char *one = text_copy_length(line, length);
        row(out, line == value ? name : "", one);
        line += length + (line[length] == '\n');
    }
}

char *plain_line(const NoticeAlert *alert) {
    Buffer out = BUFFER((size_t)4096);
    if (*alert->summary)
        put(&out, alert->summary, ROW_VALUE_MAX);
    else {
        put(&out, alert->name, 255);
        buffer_text(&out, alert->is_firing ? " fires" : " is over");
    }
    return buffer_take(&out);
}

static void resolved_rows(const NoticeAlert *alert, Buffer *out) {
    if (alert->is_firing) return;
    row(out, "lasted", alert->duration);
    row(out, "cleared at", alert->cleared);
}

void plain_alert(const NoticeAlert *alert, Buffer *out) {
    OWN(text) char *line = plain_line(alert), *figures = notice_figures(alert), *where = notice_where(alert);
    OWN(text) char *ack = notice_ack(alert);
    OWN(text) char *since = alert->starts_ms ? notice_time(alert->starts_ms) : text_copy("");
    buffer_text(out, alert->is_firing ? "FIRING: " : "RESOLVED: ");
    buffer_text(out, line);
    buffer_text(out, "\n");
    row(out, "alarm", alert->name);
    row(out, "severity", alert->severity);
    row(out, "value", figures);
    row(out, "worst", alert->worst);
    row(out, "metric", alert->metric);
    row(out, "since", since);
    resolved_rows(alert, out);
    row(out, "taken by", ack);
    row(out, "data", alert->data);
    row(out, "where", where);
    row(out, "why", alert->reason);
    row(out, "what it is", alert->description);
    for (const NoticeFact *fact = notice_facts; fact->annotation; fact++)
        rows(out, fact->name, notice_fact(alert, fact));
}

static void alert_write(const NoticeAlert *alert, Buffer *out) {
    plain_alert(alert, out);
    row(out, "runbook", alert->runbook_url);
    row(out, "console", alert->console_url);
    buffer_text(out, "\n");
}

void plain_write(const Notice *notice, size_t alerts, Buffer *out) {
    if (notice->is_test) buffer_text(out, "This is a test that somebody asked for.\n\n");
    OWN(text) char *glance = notice_glance(notice);
    if (*glance) buffer_format(out, "%s\n\n", glance);
    const size_t shown = notice->count < alerts ? notice->count : alerts;
    for (size_t i = 0; i < shown; i++) alert_write(&notice->alerts[i], out);
    const size_t more = notice->count - shown + notice->truncated;
    if (more) buffer_format(out, "and %zu more.\n\n", more);
    buffer_text(out, "-- \nTocsin, receiver ");
    put(out, notice->receiver, 255);
    if (*notice->external_url) buffer_text(out, ", ");
    put(out, notice->external_url, ROW_VALUE_MAX);
    buffer_text(out, "\n");
}
