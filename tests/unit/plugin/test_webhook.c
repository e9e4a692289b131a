/* What a webhook's formats make of a notification: shapes, limits, and texts that try to be more than text. */
#include "../run.h"
#include "world.h"

#include "webhook/format.h"
#include "webhook/progress.h"
#include "webhook/template.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* A notification whose first alert has `value` as its `member`, or as the label or annotation of that name. */
static Notice *notice_with(size_t alerts, const char *status, const char *member, const char *value) {
    OWN(text) char *text = world_notification(alerts, status);
    OWN(json) json_t *root = json_read(text, strlen(text), NULL);
    json_t *alert = json_array_get(json_object_get(json_object_get(root, "webhook"), "alerts"), 0);
    json_t *labels = json_object_get(alert, "labels"), *notes = json_object_get(alert, "annotations");
    if (member) {
        json_t *into = json_object_get(labels, member) ? labels : json_object_get(alert, member) ? alert : notes;
        json_object_set_new(into, member, json_string(value));
    }
    OWN(text) char *again = json_write(root);
    return notice_read(again);
}

static json_t *read_back(char *take_text) {
    json_t *value = json_read(take_text, strlen(take_text), NULL);
    ck_assert_msg(value != NULL, "no JSON: %.400s", take_text);
    free(take_text);
    return value;
}

static char *repeat(const char *word, size_t count) {
    Buffer out = BUFFER((size_t)1 << 22);
    for (size_t i = 0; i < count; i++) buffer_text(&out, word);
    return buffer_take(&out);
}

/* --- Slack --- */

static const struct Escape {
    const char *summary, *want, *never;
} escapes[] = {
    {"<!channel> a & b", "FIRING: &lt;!channel&gt; a &amp; b\n", "<!"},
    {"<http://evil.example.org|console>", "&lt;http://evil.example.org|console&gt;", "<http://evil"},
    {"*bold* _it_ `code` ~gone~", "*bold* _it_ `code` ~gone~", "mrkdwn\",\"text\":\"FIRING"},
    {"line\nFIRING: other", "line FIRING: other\n", NULL},
};

START_TEST(slack_takes_text_as_text) {
    const struct Escape *c = &escapes[_i];
    OWN(notice) Notice *notice = notice_with(1, "firing", "summary", c->summary);
    OWN(json) json_t *body = read_back(slack_body(notice));
    const json_t *section = json_array_get(json_list(body, "blocks"), 1), *text = json_map(section, "text");
    ck_assert_str_eq(json_text(text, "type"), "plain_text");
    ck_assert_msg(strstr(json_text(text, "text"), c->want) != NULL, "no `%s` in: %s", c->want, json_text(text, "text"));
    OWN(text) char *all = json_write(body);
    ck_assert_msg(!c->never || !strstr(all, c->never), "`%s` in %s", c->never, all);
}
END_TEST

START_TEST(slack_links_end_where_they_should) {
    OWN(notice) Notice *notice = notice_with(1, "firing", "runbook_url", "https://a.org/?a=1&b=<x>|y");
    OWN(json) json_t *body = read_back(slack_body(notice));
    const json_t *links = json_array_get(json_list(json_array_get(json_list(body, "blocks"), 2), "elements"), 0);
    ck_assert_str_eq(json_text(links, "text"),
        "<https://a.org/?a=1&amp;b=%3Cx%3E%7Cy|runbook>  <https://console.aws.amazon.com/x#y=1|console>");
}
END_TEST

START_TEST(slack_keeps_its_limits) {
    OWN(text) char *long_text = repeat("&\xc3\xa4", 4000);
    OWN(notice) Notice *notice = notice_with(60, "firing", "summary", long_text);
    OWN(json) json_t *body = read_back(slack_body(notice));
    const json_t *blocks = json_list(body, "blocks");
    ck_assert_uint_le(json_array_size(blocks), 50);
    ck_assert_str_eq(json_text(body, "text"), "[FIRING:1] api-latency-p99 (prod eu-west-1)");
    size_t i;
    json_t *block;
    json_array_foreach((json_t *)(uintptr_t)blocks, i, block) {
        const char *text = json_text(json_map(block, "text"), "text");
        if (!text) continue;
        ck_assert_uint_le(utf8_count(text, strlen(text)), i ? 3000 : 150);
        const char *amp = strrchr(text, '&');
        ck_assert_msg(!amp || strchr(amp, ';'), "an entity is cut: %s", amp);
    }
    const char *last = json_text(json_map(json_array_get(blocks, json_array_size(blocks) - 1), "text"), "text");
    ck_assert_str_eq(last, "and 40 more");
}
END_TEST

/* --- Teams --- */

START_TEST(teams_gets_one_card) {
    OWN(notice) Notice *notice = notice_with(1, "resolved", "summary", "**b** [x](https://evil.example.org)");
    OWN(json) json_t *body = read_back(teams_body(notice));
    ck_assert_str_eq(json_text(body, "type"), "message");
    const json_t *attachment = json_array_get(json_list(body, "attachments"), 0),
                 *card = json_map(attachment, "content");
    ck_assert_str_eq(json_text(attachment, "contentType"), "application/vnd.microsoft.card.adaptive");
    ck_assert_str_eq(json_text(card, "type"), "AdaptiveCard");
    const json_t *blocks = json_list(card, "body");
    ck_assert_uint_eq(json_array_size(blocks), 3); /* title, alert, links */
    ck_assert_str_eq(json_text(json_array_get(blocks, 1), "type"), "RichTextBlock");
    OWN(text) char *all = json_write(body);
    ck_assert_ptr_null(strstr(all, "TextBlock\",\"text\"")); /* those read markdown */
    ck_assert_ptr_nonnull(strstr(all, "RESOLVED: **b** [x](https://evil.example.org)"));
}
END_TEST

START_TEST(teams_stays_below_28_kb) {
    OWN(text) char *long_text = repeat("x", 1900);
    OWN(notice) Notice *notice = notice_with(20, "firing", "summary", long_text);
    for (size_t i = 0; i < notice->count; i++) notice->alerts[i].description = long_text;
    char *text = teams_body(notice);
    ck_assert_uint_le(strlen(text), 28 * 1024);
    OWN(json) json_t *body = read_back(text);
    OWN(text) char *all = json_write(body);
    ck_assert_ptr_nonnull(strstr(all, "\"and 1"));
}
END_TEST

/* --- PagerDuty --- */

static json_t *event_at(const Bodies *bodies, size_t index) { return read_back(text_copy(bodies->texts[index])); }

START_TEST(pagerduty_gets_an_event_an_alert) {
    OWN(bodies) Bodies bodies = {0};
    OWN(notice) Notice *notice = notice_with(3, "firing", NULL, NULL);
    pagerduty_bodies(notice, &bodies);
    ck_assert_uint_eq(bodies.count, 3);
    for (size_t i = 0; i < bodies.count; i++)
        ck_assert_int_eq(strncmp(bodies.texts[i], "{\"routing_key\":\"\",", bodies.secret_at + 2), 0);
    OWN(json) json_t *event = event_at(&bodies, 0);
    const json_t *payload = json_map(event, "payload");
    ck_assert_str_eq(json_text(event, "event_action"), "trigger");
    ck_assert_str_eq(json_text(event, "dedup_key"), "0123456789abcdef");
    ck_assert_str_eq(json_text(payload, "summary"), "api-latency-p99 is 1.23 (> 0.8) for 5 min in prod eu-west-1");
    ck_assert_str_eq(json_text(payload, "severity"), "critical");
    ck_assert_str_eq(json_text(payload, "class"), "api-latency-p99");
    ck_assert_str_eq(json_text(payload, "group"), "prod");
    ck_assert_str_eq(json_text(payload, "component"), "app/api/50dc");
    ck_assert_str_eq(json_text(payload, "timestamp"), "2026-01-02T03:04:05.000Z");
    ck_assert_uint_eq(json_array_size(json_list(event, "links")), 2);
}
END_TEST

static const struct Severity {
    const char *ours, *theirs;
} severities[] = {{"critical", "critical"}, {"error", "error"}, {"warning", "warning"}, {"info", "info"},
    {"page-now", "error"}, {"", "error"}};

START_TEST(pagerduty_knows_four_severities) {
    OWN(bodies) Bodies bodies = {0};
    OWN(notice) Notice *notice = notice_with(1, "firing", "severity", severities[_i].ours);
    pagerduty_bodies(notice, &bodies);
    OWN(json) json_t *event = event_at(&bodies, 0);
    ck_assert_str_eq(json_text(json_map(event, "payload"), "severity"), severities[_i].theirs);
}
END_TEST

/* A resolution ends the alert's incident, and the one for alerts that were only counted. */
START_TEST(pagerduty_resolves_what_it_triggered) {
    OWN(bodies) Bodies bodies = {0}, counted = {0};
    OWN(notice) Notice *over = notice_with(1, "resolved", NULL, NULL), *many = notice_with(1, "firing", NULL, NULL);
    many->counted = 7;
    pagerduty_bodies(over, &bodies);
    pagerduty_bodies(many, &counted);
    ck_assert_uint_eq(bodies.count, 2);
    ck_assert_uint_eq(counted.count, 2);
    OWN(json) json_t *alert = event_at(&bodies, 0), *rest = event_at(&bodies, 1), *trigger = event_at(&counted, 1);
    ck_assert_str_eq(json_text(alert, "event_action"), "resolve");
    ck_assert_str_eq(json_text(rest, "event_action"), "resolve");
    ck_assert_str_eq(json_text(trigger, "event_action"), "trigger");
    ck_assert_str_eq(json_text(rest, "dedup_key"), json_text(trigger, "dedup_key"));
    ck_assert_int_eq(strncmp(json_text(json_map(trigger, "payload"), "summary"), "7 more alerts: ", 15), 0);
}
END_TEST

/* A notification of one alert that fires and is shown, with a rest that names some with these statuses, `f` or `r`, and
 * counts others; NULL: it has no rest, and its body counts them. */
static Notice *notice_with_rest(const char *statuses, int counted, bool was_counted) {
    OWN(text) char *text = world_notification(1, "firing"), *others = world_notification(9, "firing");
    OWN(json) json_t *root = json_read(text, strlen(text), NULL), *more = json_read(others, strlen(others), NULL);
    const json_t *from = json_list(json_map(more, "webhook"), "alerts");
    json_t *alerts = json_array();
    for (size_t i = 0; statuses && statuses[i]; i++) {
        json_t *alert = json_array_get(from, i);
        json_object_set_new(alert, "fingerprint", json_sprintf("%zu", i));
        json_object_set_new(alert, "status", json_string(statuses[i] == 'f' ? "firing" : "resolved"));
        json_object_set_new(alert, "endsAt", json_string("2026-01-02T03:06:05.000Z"));
        json_array_append(alerts, alert);
    }
    if (statuses)
        json_object_set_new(
            root, "rest", json_pack("{s:O,s:i,s:b}", "alerts", alerts, "counted", counted, "was_counted", was_counted));
    else
        json_object_set_new(json_object_get(root, "webhook"), "truncatedAlerts", json_integer(counted));
    json_decref(alerts);
    OWN(text) char *again = json_write(root);
    return notice_read(again);
}

/* What is named beside the shown alert; counted; what the last event says of the group's incident, NULL: nothing. */
static const struct Named {
    const char *statuses;
    int counted;
    const char *group, *summary;
    bool was_counted;
} named[] = {
    {"f", 0, "resolve", NULL, true}, {"f", 4, "trigger", "4 more alerts: ", true}, {"", 0, NULL, NULL},
    {"f", 0, NULL, NULL}, {"frfr", 0, "resolve", NULL}, /* nobody is only counted any more, should anybody have been */
    {"fr", 4, "trigger", "4 more alerts: "}, {"", 4, "trigger", "4 more alerts: "}, {NULL, 0, NULL, NULL},
    {NULL, 7, "trigger", "7 more alerts: "}, /* of a time in which a message had no rest */
};

START_TEST(pagerduty_hears_of_each_that_is_named) {
    const struct Named *c = &named[_i];
    const size_t length = c->statuses ? strlen(c->statuses) : 0;
    OWN(bodies) Bodies bodies = {0};
    OWN(notice) Notice *notice = notice_with_rest(c->statuses, c->counted, c->was_counted);
    pagerduty_bodies(notice, &bodies);
    ck_assert_uint_eq(bodies.count, 1 + length + (c->group != NULL));
    for (size_t i = 0; i < length; i++) {
        OWN(text) char *key = text_format("%zu", i);
        OWN(json) json_t *event = event_at(&bodies, 1 + i);
        ck_assert_str_eq(json_text(event, "event_action"), c->statuses[i] == 'f' ? "trigger" : "resolve");
        ck_assert_str_eq(json_text(event, "dedup_key"), key);
    }
    OWN(json) json_t *last = event_at(&bodies, bodies.count - 1);
    ck_assert_int_eq(strncmp(json_text(last, "dedup_key"), "group-", 6) == 0, c->group != NULL);
    if (c->group) ck_assert_str_eq(json_text(last, "event_action"), c->group);
    const char *summary = json_text(json_map(last, "payload"), "summary");
    if (c->summary) ck_assert_int_eq(strncmp(summary, c->summary, strlen(c->summary)), 0);
}
END_TEST

START_TEST(pagerduty_keeps_its_limits) {
    OWN(text) char *long_text = repeat("\xc3\xa4", 300000);
    OWN(bodies) Bodies bodies = {0};
    OWN(notice) Notice *notice = notice_with(1, "firing", "summary", long_text);
    pagerduty_bodies(notice, &bodies);
    ck_assert_uint_le(strlen(bodies.texts[0]), 512 * 1024);
    OWN(json) json_t *event = event_at(&bodies, 0);
    const char *summary = json_text(json_map(event, "payload"), "summary");
    ck_assert_uint_le(utf8_count(summary, strlen(summary)), 1024);
    ck_assert(utf8_ok(summary, strlen(summary)));
}
END_TEST

/* --- Alertmanager's API --- */

START_TEST(alertmanager_gets_what_prometheus_would_send) {
    OWN(notice) Notice *notice = notice_with(2, _i ? "resolved" : "firing", "9 a-b", "x");
    notice->alerts[0].ends_ms = notice->alerts[0].starts_ms + 60000;
    OWN(json) json_t *alerts = read_back(alertmanager_body(notice));
    ck_assert_uint_eq(json_array_size(alerts), 2);
    const json_t *first = json_array_get(alerts, 0);
    ck_assert_str_eq(json_text(first, "startsAt"), "2026-01-02T03:04:05.000Z");
    /* Seven days behind the message, or the alert's own end. */
    ck_assert_str_eq(json_text(first, "endsAt"), _i ? "2026-01-02T03:05:05.000Z" : "2026-01-09T03:09:05.000Z");
    ck_assert_str_eq(json_text(first, "generatorURL"), "https://console.aws.amazon.com/x#y=1");
    ck_assert_str_eq(json_text(json_map(first, "labels"), "alertname"), "api-latency-p99");
    ck_assert_str_eq(json_text(json_map(first, "annotations"), "_9_a_b"), "x");
}
END_TEST

START_TEST(alertmanager_hears_of_each_that_is_named) {
    OWN(notice) Notice *notice = notice_with_rest("fr", 3, false);
    OWN(json) json_t *alerts = read_back(alertmanager_body(notice));
    ck_assert_uint_eq(json_array_size(alerts), 3);
    ck_assert_str_eq(json_text(json_array_get(alerts, 1), "endsAt"), "2026-01-09T03:09:05.000Z");
    ck_assert_str_eq(json_text(json_array_get(alerts, 2), "endsAt"), "2026-01-02T03:06:05.000Z");
    ck_assert_str_eq(json_text(json_map(json_array_get(alerts, 2), "labels"), "number"), "1");
}
END_TEST

/* --- what was taken of several requests --- */

START_TEST(the_last_stopped_deliveries_are_known) {
    Progress progress = {.next = 0};
    char a[] = "a", b[] = "b";
    char *const requests[] = {a, b}, *const others[] = {b, a};
    for (size_t i = 0; i <= PROGRESS_MAX; i++) {
        OWN(text) char *id = text_format("%zu", i);
        bool *is_taken = progress_take(&progress, id, requests, 2);
        ck_assert(!is_taken[0] && !is_taken[1]);
        is_taken[1] = true;
        progress_keep(&progress, id, requests, 2, is_taken);
    }
    OWN(text) char *last = text_format("%d", PROGRESS_MAX);
    bool *short_one = progress_take(&progress, last, requests, 1), *changed = progress_take(&progress, last, others, 2);
    ck_assert(!short_one[0] && !changed[1]);
    free(short_one);
    free(changed);
    for (int again = 0; again < 2; again++) {
        bool *oldest = progress_take(&progress, "0", requests, 2),
             *newest = progress_take(&progress, last, requests, 2);
        ck_assert(!oldest[1]);
        ck_assert_int_eq(newest[1], !again); /* known once: who goes on keeps it again */
        free(oldest);
        free(newest);
    }
    progress_deinit(&progress);
}
END_TEST

/* What goes on, and what nobody has taken any of, is none for whose sake another is forgotten. */
START_TEST(only_what_stopped_takes_room) {
    Progress progress = {.next = 0};
    char a[] = "a", b[] = "b";
    char *const requests[] = {a, b};
    bool *is_taken = progress_take(&progress, "first", requests, 2);
    is_taken[0] = true;
    progress_keep(&progress, "first", requests, 2, is_taken);
    for (size_t i = 0; i < (size_t)2 * PROGRESS_MAX; i++) {
        bool *other = progress_take(&progress, "other", requests, 2);
        other[1] = true;
        progress_keep(&progress, "other", requests, 2, other);
        OWN(text) char *id = text_format("%zu", i);
        progress_keep(&progress, id, requests, 2, alloc_zeroed(2, sizeof(bool)));
    }
    bool *first = progress_take(&progress, "first", requests, 2);
    ck_assert(first[0]);
    free(first);
    progress_deinit(&progress);
}
END_TEST

/* --- templates --- */

typedef struct Found {
    char lines[2000];
} Found;

static void found(void *ctx, const char *what, const char *remedy) {
    Found *all = ctx;
    const size_t used = strlen(all->lines);
    snprintf(all->lines + used, sizeof all->lines - used, "%s (%s)\n", what, remedy ? remedy : "");
}

#define IN_EACH "put it into a list that begins with \"{{ each alerts }}\""
static const struct Wrong {
    const char *text, *want;
} wrongs[] = {
    {"", "it is no JSON: "},
    {"{\"a\": {{ subject }}}", "it is no JSON: "},
    {"{\"a\": \"{{ subjct }}\"}", "line 1, column 8: no value is named `subjct` (did you mean `subject`?)\n"},
    {"{\n \"\xc3\xa4\": \"x {{ zzzzzzzz }}\"}",
        "line 2, column 10: no value is named `zzzzzzzz` (a value of the notification, such as subject or status)\n"},
    {"[\"{{ subject\"]", "line 1, column 3: `{{` begins no value's name ({{ subject }})\n"},
    {"[\"{{ }}\"]", "line 1, column 3: `{{` begins no value's name ({{ subject }})\n"},
    {"[\"{{ labels.team }}\"]", "line 1, column 3: `labels.team` is a value of one alert (" IN_EACH ")\n"},
    {"[\"{{ subject.x }}\"]", "line 1, column 3: `subject.x`: `subject` has no parts (its name alone)\n"},
    {"{\"{{ subject }}\": 1}", "line 1, column 3: a key cannot be a value (a fixed name)\n"},
    {"{\"a\": \"{{ each alerts }}\"}",
        "line 1, column 8: `each alerts` stands alone, first in a list of two ([\"{{ each alerts }}\", {...}])\n"},
    {"[\"{{ each alerts }}\", [\"{{ each alerts }}\", 1]]",
        "line 1, column 25: `each alerts` stands alone, first in a list of two ([\"{{ each alerts }}\", {...}])\n"},
    {"[\"{{ each alerts }}\", \"{{ lables.team }}\"]",
        "line 1, column 24: no value is named `lables.team` (did you mean `labels`?)\n"},
    {"[\"{{ a }}\", 1, \"{{ b }}\"]",
        "line 1, column 3: no value is named `a` (a value of the notification, such as subject or status)\n"
        "line 1, column 17: no value is named `b` (a value of the notification, such as subject or status)\n"},
};

START_TEST(a_wrong_template_is_explained) {
    Found all = {""};
    ck_assert(!template_check(wrongs[_i].text, found, &all));
    ck_assert_msg(
        strncmp(all.lines, wrongs[_i].want, strlen(wrongs[_i].want)) == 0, "%s gave: %s", wrongs[_i].text, all.lines);
}
END_TEST

static const struct Made {
    const char *text, *want;
} made[] = {
    {"{\"a\": 1, \"b\": [null, true, \"x\"]}", "{\"a\":1,\"b\":[null,true,\"x\"]}"},
    {"{\"s\": \"{{ status }}: {{subject}}!\"}", "{\"s\":\"firing: [FIRING:1] api-latency-p99 (prod eu-west-1)!\"}"},
    {"[\"{{ truncatedAlerts }}\", \"n={{ truncatedAlerts }}\", \"{{ test }}\"]", "[0,\"n=0\",false]"},
    {"[\"{{ commonLabels }}\", \"{{ commonLabels.alertname }}\", \"{{ commonLabels.none }}\"]",
        "[{\"alertname\":\"api-latency-p99\"},\"api-latency-p99\",\"\"]"},
    {"[\"{{ each alerts }}\", {\"n\": \"{{ labels.number }} {{ receiver }}\", \"r\": \"{{ annotations.value }}\"}]",
        "[{\"n\":\"0 oncall\",\"r\":\"1.23\"},{\"n\":\"1 oncall\",\"r\":\"1.23\"}]"},
    {"\"}} {x}\"", "\"}} {x}\""},
};

START_TEST(a_template_becomes_a_body) {
    Found all = {""};
    OWN(notice) Notice *notice = notice_with(2, "firing", NULL, NULL);
    ck_assert_msg(template_check(made[_i].text, found, &all), "%s: %s", made[_i].text, all.lines);
    OWN(text) char *body = template_body(made[_i].text, notice);
    ck_assert_str_eq(body, made[_i].want);
}
END_TEST

static const char *const hostile[] = {
    "\"}, {\"admin\": true", "\\", "\\u0022", "\n\r\t", "{{ subject }}", "\xe2\x80\xa8"};

/* No value leaves its string, and none is read as a template again. */
START_TEST(a_value_stays_a_value) {
    OWN(notice) Notice *notice = notice_with(1, "firing", "summary", hostile[_i]);
    OWN(text) char *text = template_body("[\"{{ each alerts }}\", \"<{{ annotations.summary }}>\"]", notice);
    OWN(json) json_t *body = read_back(text_copy(text));
    OWN(text) char *want = text_format("<%s>", hostile[_i]);
    ck_assert_uint_eq(json_array_size(body), 1);
    ck_assert_str_eq(json_string_value(json_array_get(body, 0)), want);
}
END_TEST

START_TEST(a_template_cannot_swell) {
    OWN(text) char *long_text = repeat("x", 100000);
    OWN(notice) Notice *notice = notice_with(20, "firing", "summary", long_text);
    OWN(text) char *places = repeat("\"{{ alerts }}\",", 100);
    OWN(text) char *text = text_format("[%s 1]", places);
    ck_assert_ptr_null(template_body(text, notice));
    OWN(text) char *more = repeat("\"{{ subject }}\",", TEMPLATE_PLACES_MAX + 1);
    OWN(text) char *too_many = text_format("[%s 1]", more);
    Found all = {""};
    ck_assert(!template_check(too_many, found, &all));
    ck_assert_str_eq(all.lines, "it has more than 200 values ()\n");
}
END_TEST

static void fill(TCase *tcase) {
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, slack_takes_text_as_text, 0, COUNT_OF(escapes));
    tcase_add_test(tcase, slack_links_end_where_they_should);
    tcase_add_test(tcase, slack_keeps_its_limits);
    tcase_add_test(tcase, teams_gets_one_card);
    tcase_add_test(tcase, teams_stays_below_28_kb);
    tcase_add_test(tcase, pagerduty_gets_an_event_an_alert);
    tcase_add_loop_test(tcase, pagerduty_knows_four_severities, 0, COUNT_OF(severities));
    tcase_add_test(tcase, pagerduty_resolves_what_it_triggered);
    tcase_add_loop_test(tcase, pagerduty_hears_of_each_that_is_named, 0, COUNT_OF(named));
    tcase_add_test(tcase, pagerduty_keeps_its_limits);
    tcase_add_loop_test(tcase, alertmanager_gets_what_prometheus_would_send, 0, 2);
    tcase_add_test(tcase, alertmanager_hears_of_each_that_is_named);
    tcase_add_test(tcase, the_last_stopped_deliveries_are_known);
    tcase_add_test(tcase, only_what_stopped_takes_room);
    tcase_add_loop_test(tcase, a_wrong_template_is_explained, 0, COUNT_OF(wrongs));
    tcase_add_loop_test(tcase, a_template_becomes_a_body, 0, COUNT_OF(made));
    tcase_add_loop_test(tcase, a_value_stays_a_value, 0, COUNT_OF(hostile));
    tcase_add_test(tcase, a_template_cannot_swell);
}
int main(void) { return run_tests("webhook", fill); }
