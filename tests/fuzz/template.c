/* A template of the user's own, over a notification and over the same one with hostile texts. Holds: what its check
 * refuses has a place and a reason; a body is one JSON document within its bound; hostile texts change texts alone,
 * never what stands around them. */
#include "fuzz.h"

#include "base/alloc.h"
#include "base/json.h"
#include "webhook/template.h"

#include <stdlib.h>
#include <string.h>

/* `text` wherever AWS or a person could have put it. */
static Notice *notice_of(const char *text) {
    OWN(json)
    json_t *alert = json_pack("{s:s, s:{s:s, s:s}, s:{s:s, s:s}, s:s, s:s, s:s, s:s}", "status", "firing", "labels",
        "alertname", text, "severity", "critical", "annotations", "summary", text, "value", "1.5", "startsAt",
        "2026-01-02T03:04:05.000Z", "endsAt", "0001-01-01T00:00:00Z", "generatorURL", "https://example.org/",
        "fingerprint", "0123456789abcdef");
    OWN(json)
    json_t *whole = json_pack("{s:s, s:s, s:s, s:s, s:b, s:{s:s, s:s, s:i, s:s, s:s, s:{s:s}, s:{s:s}, s:{}, s:s, "
                              "s:s, s:[O, O]}}",
        "id", "7f0c1b9e-1111-4222-8333-444455556666", "created_at", "2026-01-02T03:09:05.000Z", "receiver", "oncall",
        "subject", text, "test", 0, "webhook", "version", "4", "groupKey", text, "truncatedAlerts", 0, "status",
        "firing", "receiver", "oncall", "groupLabels", "alertname", text, "commonLabels", "alertname", text,
        "commonAnnotations", "externalURL", "https://example.org", "notification_reason", text, "alerts", alert, alert);
    OWN(text) char *written = json_write(whole);
    Notice *notice = notice_read(written);
    if (!notice) abort();
    return notice;
}

static void count(void *ctx, const char *what, const char *remedy) {
    (void)remedy;
    if (!what || !*what) abort();
    ++*(size_t *)ctx;
}

/* Of one shape: the same things in the same places, texts and numbers aside. */
static bool is_alike(const json_t *a, const json_t *b) {
    const char *key;
    json_t *value;
    size_t i;
    if (json_typeof(a) != json_typeof(b) || json_object_size(a) != json_object_size(b)) return false;
    if (json_array_size(a) != json_array_size(b)) return false;
    json_array_foreach((json_t *)(uintptr_t)a, i, value)
        if (!is_alike(value, json_array_get(b, i))) return false;
    json_object_foreach((json_t *)(uintptr_t)a, key, value) {
        const json_t *other = json_object_get(b, key);
        if (!other || !is_alike(value, other)) return false;
    }
    return true;
}

static json_t *body_of(const char *template, const Notice *notice) {
    OWN(text) char *body = template_body(template, notice);
    if (!body) return NULL;
    if (strlen(body) > TEMPLATE_BODY_MAX) abort();
    json_t *value = json_loads(body, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (!value) abort();
    return value;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static Notice *notices[3];
    if (!notices[0]) { /* once: they are the same for all */
        notices[0] = notice_of("plain");
        notices[1] = notice_of("\"}], \\\" {{ subject }} {{ each alerts }} </script>\r\n\\u0000 \xe2\x80\xa8");
        notices[2] = notice_of("[1, {\"a\": null}]"); /* JSON itself */
    }
    OWN(text) char *template = text_copy_length((const char *)data, size);
    size_t problems = 0;
    const bool is_good = template_check(template, count, &problems);
    if (is_good != (problems == 0)) abort();
    if (!is_good) return 0;
    OWN(json) json_t *plain = body_of(template, notices[0]);
    for (size_t i = 1; i < COUNT_OF(notices); i++) {
        OWN(json) json_t *hostile = body_of(template, notices[i]);
        if (plain && hostile && !is_alike(plain, hostile)) abort();
    }
    return 0;
}
