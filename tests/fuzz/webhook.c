/* A notification, and before a zero byte a template, to the bodies of each format. Holds: each is JSON within its
 * receiver's bounds; a template that passes its check gives a body or is told to be too long; nothing from outside
 * makes a Slack link or mention. */
#include "fuzz.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "webhook/format.h"
#include "webhook/template.h"

#include <stdlib.h>
#include <string.h>

static json_t *read_back(char *take_text) {
    json_t *value = json_read(take_text, strlen(take_text), NULL);
    if (!value) abort();
    free(take_text);
    return value;
}

static void check_plain(const json_t *text) {
    const char *words = json_text(text, "text");
    if (!words || utf8_count(words, strlen(words)) > 3000) abort();
    if (strcmp(json_text(text, "type"), "plain_text") != 0 || strpbrk(words, "<>")) abort();
}

static void check_slack(const Notice *notice) {
    OWN(json) json_t *body = read_back(slack_body(notice));
    const json_t *blocks = json_list(body, "blocks");
    if (json_array_size(blocks) > 50 || !json_text(body, "text") || strpbrk(json_text(body, "text"), "<>")) abort();
    for (size_t i = 0; i < json_array_size(blocks); i++) {
        const json_t *text = json_map(json_array_get(blocks, i), "text");
        if (text) check_plain(text);
    }
}

static void check_teams(const Notice *notice) {
    char *text = teams_body(notice);
    if (strlen(text) > 28 * 1024) abort();
    OWN(json) json_t *body = read_back(text);
    if (!json_is_object(body)) abort();
}

static void check_pagerduty(const Notice *notice) {
    OWN(bodies) Bodies bodies = {0};
    pagerduty_bodies(notice, &bodies);
    for (size_t i = 0; i < bodies.count; i++) {
        OWN(json) json_t *event = read_back(text_copy(bodies.texts[i]));
        const char *key = json_text(event, "dedup_key"), *summary = json_text(json_map(event, "payload"), "summary");
        if (strlen(bodies.texts[i]) > 512 * 1024 || bodies.texts[i][bodies.secret_at] != '"') abort();
        if (!key || utf8_count(key, strlen(key)) > 255) abort();
        if (!summary || utf8_count(summary, strlen(summary)) > 1024) abort();
    }
}

static void check_alertmanager(const Notice *notice) {
    OWN(json) json_t *alerts = read_back(alertmanager_body(notice));
    if (json_array_size(alerts) != notice->count + notice->rest_count) abort();
}

static void ignore(void *ctx, const char *what, const char *remedy) { (void)ctx, (void)what, (void)remedy; }

static void check_template(const char *template, const Notice *notice) {
    if (!template_check(template, ignore, NULL)) return;
    OWN(text) char *text = template_body(template, notice);
    if (!text) return;
    OWN(json) json_t *template_json = read_back(text_copy(template));
    json_t *body =
        json_loads(text, JSON_DECODE_ANY, NULL); /* a value of the notification may lie deeper than ours may */
    if (!body || json_typeof(body) > JSON_NULL) abort();
    if (json_is_object(template_json) && json_object_size(body) != json_object_size(template_json)) abort();
    json_decref(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    const size_t cut = zero ? (size_t)(zero - data) : 0;
    OWN(text) char *template = text_copy_length((const char *)data, cut);
    OWN(text) char *text = text_copy_length((const char *)data + (zero ? cut + 1 : 0), size - (zero ? cut + 1 : 0));
    OWN(notice) Notice *notice = notice_read(text);
    if (!notice) return 0;
    check_slack(notice);
    check_teams(notice);
    check_pagerduty(notice);
    check_alertmanager(notice);
    check_template(zero ? template : "{\"a\": [\"{{ each alerts }}\", \"{{ labels }}\", \"{{ status }}\"]}", notice);
    return 0;
}
