#include "email/html.h"

#include "base/alloc.h"
#include "base/escape.h"
#include "kit/plain.h"

#include <stdlib.h>
#include <string.h>

enum { VALUE_MAX = 2000 };

static void put_byte(Buffer *out, char byte) {
    switch (byte) {
    case '&': buffer_text(out, "&amp;"); return;
    case '<': buffer_text(out, "&lt;"); return;
    case '>': buffer_text(out, "&gt;"); return;
    case '"': buffer_text(out, "&quot;"); return;
    case '\'': buffer_text(out, "&#39;"); return;
    default: break;
    }
    buffer_add(out, &byte, 1);
}

/* The one way for a value into the page. */
static void put(Buffer *out, const char *value) {
    const size_t length = strlen(value);
    for (size_t i = 0, step; i < length; i += step) {
        bool harmful;
        step = escape_step(value + i, length - i, &harmful);
        if (i + step > VALUE_MAX) return;
        if (harmful && value[i] != '\n') /* lines of a value are shown below one another */
            buffer_text(out, " ");
        else
            for (size_t j = 0; j < step; j++) put_byte(out, value[i + j]);
    }
}

static const char *colour_of(const Notice *notice, const NoticeAlert *alert) {
    static const char *const colours[][2] = {
        {"critical", "#b3261e"}, {"error", "#c2410c"}, {"warning", "#9a6700"}, {"info", "#1f5fa8"}};
    if (notice->is_test) return "#4b5563";
    if (!alert->is_firing) return "#1e7d34";
    for (size_t i = 0; i < COUNT_OF(colours); i++)
        if (strcmp(alert->severity, colours[i][0]) == 0) return colours[i][1];
    return "#9a6700";
}

static void banner(const Notice *notice, const NoticeAlert *alert, Buffer *out) {
    OWN(text) char *line = plain_line(alert);
    buffer_format(out, "<tr><td style=\"background:%s;color:#ffffff;padding:16px 20px\">\n", colour_of(notice, alert));
    buffer_text(out, "<div style=\"font-size:13px;font-weight:700;letter-spacing:1px;text-transform:uppercase\">");
    buffer_text(out, notice->is_test ? "Test" : alert->is_firing ? "Firing" : "Resolved");
    if (*alert->severity) buffer_text(out, " &middot; ");
    put(out, alert->severity);
    buffer_text(out, "</div>\n<div style=\"font-size:22px;line-height:28px;font-weight:700;word-break:break-word\">");
    put(out, alert->name);
    buffer_text(out, "</div>\n<div style=\"font-size:16px;line-height:22px;word-break:break-word\">");
    put(out, line);
    buffer_text(out, "</div></td></tr>\n");
}

static void row(Buffer *out, const char *name, const char *value) {
    if (!*value) return;
    buffer_format(out,
        "<tr><td style=\"padding:6px 12px 6px "
        "0;color:#5f6368;font-size:14px;vertical-align:top;white-space:nowrap\">%s</td>\n"
        "<td style=\"padding:6px 0;font-size:16px;line-height:22px;word-break:break-word;white-space:pre-line\">",
        name);
    put(out, value);
    buffer_text(out, "</td></tr>\n");
}

/* `how often` as a heading of the page. */
static void fact_row(Buffer *out, const char *name, const char *value) {
    char heading[32];
    snprintf(heading, sizeof heading, "%s", name);
    if (*heading >= 'a' && *heading <= 'z') *heading = (char)(*heading - 'a' + 'A');
    row(out, heading, value);
}

static void link(Buffer *out, const char *name, const char *url) {
    if (!*url || strlen(url) > VALUE_MAX) return; /* a link that was cut leads nowhere */
    buffer_text(out, "<a href=\"");
    put(out, url);
    buffer_format(out,
        "\" style=\"display:inline-block;margin:8px 8px 4px 0;padding:12px 18px;border-radius:6px;background:#e8eaed;"
        "color:#174ea6;font-size:16px;font-weight:700;text-decoration:none\">%s</a>\n",
        name);
}

static void facts(const NoticeAlert *alert, Buffer *out) {
    OWN(text) char *figures = notice_figures(alert), *where = notice_where(alert), *ack = notice_ack(alert);
    OWN(text) char *since = alert->starts_ms ? notice_time(alert->starts_ms) : text_copy("");
    buffer_text(out,
        "<tr><td style=\"padding:12px 20px 16px\"><table role=\"presentation\" cellpadding=\"0\" cellspacing=\"0\">\n");
    row(out, "Value", figures);
    row(out, "Worst", alert->worst);
    row(out, "Since", since);
    if (!alert->is_firing) {
        row(out, "Lasted", alert->duration);
        row(out, "Cleared at", alert->cleared);
    }
    row(out, "Taken by", ack);
    row(out, "Data", alert->data);
    row(out, "Where", where);
    row(out, "Metric", alert->metric);
    row(out, "Why", alert->reason);
    for (const NoticeFact *fact = notice_facts; fact->annotation; fact++)
        fact_row(out, fact->name, notice_fact(alert, fact));
    row(out, "What it is", alert->description);
    buffer_text(out, "</table>\n");
    link(out, "Runbook", alert->runbook_url);
    link(out, "Console", alert->console_url);
    buffer_text(out, "</td></tr>\n");
}

static void head(const Notice *notice, Buffer *out) {
    buffer_text(out,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
    put(out, notice->subject);
    buffer_text(out,
        "</title></head>\n"
        "<body style=\"margin:0;padding:0;background:#f1f3f4;color:#202124;"
        "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif\">\n"
        "<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\">"
        "<tr><td align=\"center\" style=\"padding:12px\">\n"
        "<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" "
        "style=\"max-width:600px;background:#ffffff;text-align:left\">\n");
}

static void foot(const Notice *notice, size_t more, Buffer *out) {
    buffer_text(out, "<tr><td style=\"padding:12px 20px;color:#5f6368;font-size:13px;border-top:1px solid #dadce0\">");
    if (more) buffer_format(out, "and %zu more.<br>\n", more);
    buffer_text(out, "Tocsin, receiver ");
    put(out, notice->receiver);
    buffer_text(out, "</td></tr>\n</table>\n</td></tr></table>\n</body></html>\n");
}

void html_write(const Notice *notice, size_t alerts, Buffer *out) {
    const size_t shown = notice->count < alerts ? notice->count : alerts;
    OWN(text) char *glance = notice_glance(notice);
    head(notice, out);
    if (*glance) {
        buffer_text(out, "<tr><td style=\"padding:12px 20px;font-size:16px;font-weight:700\">");
        put(out, glance);
        buffer_text(out, "</td></tr>\n");
    }
    for (size_t i = 0; i < shown; i++) {
        banner(notice, &notice->alerts[i], out);
        facts(&notice->alerts[i], out);
    }
    foot(notice, notice->count - shown + notice->truncated, out);
}
