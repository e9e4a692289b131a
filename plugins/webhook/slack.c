/* Slack's incoming webhook. */
#include "webhook/format.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/text.h"
#include "kit/plain.h"

#include <string.h>

/* With a header and a line about the rest, two blocks an alert stay below Slack's 50. */
enum { HEADER_MAX = 150, SECTION_MAX = 3000, FALLBACK_MAX = 3000, ALERTS_MAX = 20, TEXT_ROOM = 1 << 20 };

/* One character as Slack wants it: `<!channel>` and `<http://…|…>` lose what makes them more than text. */
static const char *entity(char byte) {
    return byte == '&' ? "&amp;" : byte == '<' ? "&lt;" : byte == '>' ? "&gt;" : NULL;
}

/* At most `max` characters of what is written; entities and characters stay whole. New reference. */
static json_t *escaped(const char *text, size_t max) {
    OWN(buffer) Buffer out = BUFFER((size_t)TEXT_ROOM);
    uint32_t code;
    size_t used = 0, left = strlen(text);
    for (size_t step; used < max && (step = utf8_step(text, left, &code)); text += step, left -= step) {
        const char *as = entity(*text);
        used += as ? strlen(as) : 1;
        if (used > max) break;
        if (as)
            buffer_text(&out, as);
        else
            buffer_add(&out, text, step);
    }
    return json_safe(buffer_string(&out));
}

static json_t *plain_text(const char *text, size_t max) {
    return json_pack("{s:s,s:o,s:b}", "type", "plain_text", "text", escaped(text, max), "emoji", 0);
}

static void add_block(json_t *blocks, const char *type, json_t *take_text) {
    json_array_append_new(blocks, json_pack("{s:s,s:o}", "type", type, "text", take_text));
}

/* `<` `>` `|` end a link: written as an address writes them. */
static void add_link(Buffer *out, const char *name, const char *url) {
    if (!*url) return;
    buffer_text(out, out->used ? "  <" : "<");
    for (; *url; url++) {
        const char as[] = {*url, 0};
        buffer_text(out, *url == '<' ? "%3C" : *url == '>' ? "%3E" : *url == '|' ? "%7C" : *url == '&' ? "&amp;" : as);
    }
    buffer_format(out, "|%s>", name);
}

static void add_links(json_t *blocks, const NoticeAlert *alert) {
    OWN(buffer) Buffer links = BUFFER((size_t)SECTION_MAX);
    add_link(&links, "runbook", alert->runbook_url);
    add_link(&links, "console", alert->console_url);
    if (links.overflow || !links.used) return;
    json_t *text =
        json_pack("{s:s,s:o,s:b}", "type", "mrkdwn", "text", json_safe(buffer_string(&links)), "verbatim", 1);
    json_array_append_new(blocks, json_pack("{s:s,s:[o]}", "type", "context", "elements", text));
}

static void add_alert(json_t *blocks, const NoticeAlert *alert) {
    OWN(buffer) Buffer text = BUFFER((size_t)TEXT_ROOM);
    plain_alert(alert, &text);
    add_block(blocks, "section", plain_text(buffer_string(&text), SECTION_MAX));
    add_links(blocks, alert);
}

char *slack_body(const Notice *notice) {
    OWN(text) char *title = text_format("%s%s", notice->is_test ? "TEST " : "", notice->subject);
    json_t *blocks = json_array();
    add_block(blocks, "header", plain_text(*title ? title : "Tocsin", HEADER_MAX));
    const size_t shown = notice->count < ALERTS_MAX ? notice->count : ALERTS_MAX;
    for (size_t i = 0; i < shown; i++) add_alert(blocks, &notice->alerts[i]);
    const size_t more = notice->count - shown + notice->truncated;
    OWN(text) char *rest = text_format("and %zu more", more);
    if (more) add_block(blocks, "section", plain_text(rest, SECTION_MAX));
    OWN(json)
    json_t *body = json_pack(
        "{s:o,s:b,s:o}", "text", escaped(*title ? title : "Tocsin", FALLBACK_MAX), "mrkdwn", 0, "blocks", blocks);
    return json_write(body);
}
