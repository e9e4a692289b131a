/* A workflow of Microsoft Teams: a message with one Adaptive Card. */
#include "webhook/format.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/text.h"
#include "kit/plain.h"

#include <string.h>

/* Teams takes 28 KB; what it counts besides the body is not written down, so some is left. */
enum { MESSAGE_MAX = 25000, TITLE_MAX = 500, ALERT_MAX = 3000, TEXT_ROOM = 1 << 20, URL_MAX = 2048 };

static json_t *cut(const char *text, size_t max) {
    OWN(text) char *short_text = text_copy_length(text, utf8_cut(text, strlen(text), max));
    return json_safe(short_text);
}

/* A block of one run: unlike a TextBlock it shows markdown as it is. New reference. */
static json_t *run(const char *text, size_t max, const char *weight, const char *color) {
    json_t *inline_text =
        json_pack("{s:s,s:o,s:s,s:s}", "type", "TextRun", "text", cut(text, max), "weight", weight, "color", color);
    return json_pack("{s:s,s:[o]}", "type", "RichTextBlock", "inlines", inline_text);
}

static json_t *link_action(const char *name, const char *url) {
    return json_pack("{s:s,s:s,s:o}", "type", "Action.OpenUrl", "title", name, "url", json_safe(url));
}

static void add_alert(json_t *blocks, const NoticeAlert *alert) {
    OWN(buffer) Buffer text = BUFFER((size_t)TEXT_ROOM);
    plain_alert(alert, &text);
    json_array_append_new(blocks, run(buffer_string(&text), ALERT_MAX, "Default", "Default"));
    json_t *actions = json_array();
    if (*alert->runbook_url && strlen(alert->runbook_url) <= URL_MAX)
        json_array_append_new(actions, link_action("runbook", alert->runbook_url));
    if (*alert->console_url && strlen(alert->console_url) <= URL_MAX)
        json_array_append_new(actions, link_action("console", alert->console_url));
    if (json_array_size(actions))
        json_array_append_new(blocks, json_pack("{s:s,s:O}", "type", "ActionSet", "actions", actions));
    json_decref(actions);
}

static char *message_with(const Notice *notice, size_t alerts) {
    OWN(text) char *title = text_format("%s%s", notice->is_test ? "TEST " : "", notice->subject);
    json_t *blocks = json_array();
    json_array_append_new(
        blocks, run(*title ? title : "Tocsin", TITLE_MAX, "Bolder", notice->is_firing ? "Attention" : "Good"));
    for (size_t i = 0; i < alerts; i++) add_alert(blocks, &notice->alerts[i]);
    const size_t more = notice->count - alerts + notice->truncated;
    OWN(text) char *rest = text_format("and %zu more", more);
    if (more) json_array_append_new(blocks, run(rest, TITLE_MAX, "Default", "Default"));
    json_t *card =
        json_pack("{s:s,s:s,s:s,s:{s:s},s:o}", "$schema", "http://adaptivecards.io/schemas/adaptive-card.json", "type",
            "AdaptiveCard", "version", "1.4", "msteams", "width", "Full", "body", blocks);
    OWN(json)
    json_t *message = json_pack("{s:s,s:[{s:s,s:n,s:o}]}", "type", "message", "attachments", "contentType",
        "application/vnd.microsoft.card.adaptive", "contentUrl", "content", card);
    return json_write(message);
}

char *teams_body(const Notice *notice) {
    for (size_t alerts = notice->count;; alerts /= 2) { /* fewer alerts in full until it fits */
        OWN(text) char *text = message_with(notice, alerts);
        if (strlen(text) <= MESSAGE_MAX || alerts == 0) return GIVE(text);
    }
}
