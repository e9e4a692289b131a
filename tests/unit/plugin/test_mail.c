/* Mails: addresses, header lines, bodies, and whole messages that nothing from outside can break out of. */
#include "../run.h"
#include "world.h"

#include "base/alloc.h"
#include "base/json.h"
#include "email/mail.h"
#include "email/mime.h"
#include "kit/plain.h"

#include <string.h>

static const struct Person {
    const char *text, *name, *address; /* address NULL: refused */
} people[] = {
    {"", NULL, NULL},
    {"a", NULL, NULL},
    {"@", NULL, NULL},
    {"a@", NULL, NULL},
    {"@b", NULL, NULL},
    {"a@b@c", NULL, NULL},
    {"a b@c.org", NULL, NULL},
    {"a@b..c", NULL, NULL},
    {"a@-b.org", NULL, NULL},
    {"a@b.org\r\nBcc: x@y.org", NULL, NULL},
    {"a@b.org,c@d.org", NULL, NULL},
    {"<a@b.org", NULL, NULL},
    {"<a@b.org> x", NULL, NULL},
    {"A <a@b.org> <c@d.org>", NULL, NULL},
    {"\xc3\xa4@b.org", NULL, NULL},
    {"\xff <a@b.org>", NULL, NULL},
    {"a@b", "", "a@b"},
    {"a.b+c@d-e.org", "", "a.b+c@d-e.org"},
    {"<a@b.org>", "", "a@b.org"},
    {"On call <a@b.org>", "On call", "a@b.org"},
    {"\"Doe, J.\" <a@b.org>", "Doe, J.", "a@b.org"},
    {"J\xc3\xb6rg <a@b.org>", "J\xc3\xb6rg", "a@b.org"},
};

START_TEST(addresses) {
    Address got = {0};
    const struct Person *p = &people[_i];
    ck_assert_msg(address_parse(p->text, &got) == (p->address != NULL), "`%s`", p->text);
    if (p->address) {
        ck_assert_str_eq(got.name, p->name);
        ck_assert_str_eq(got.address, p->address);
    }
    address_deinit(&got);
}
END_TEST

static const struct Server {
    const char *text, *host; /* NULL: refused */
    int port;
} servers[] = {
    {"", NULL, 0},
    {"h", NULL, 0},
    {":25", NULL, 0},
    {"h:", NULL, 0},
    {"h:0", NULL, 0},
    {"h:65536", NULL, 0},
    {"h:25x", NULL, 0},
    {"h/x:25", NULL, 0},
    {"[]:25", NULL, 0},
    {"[::1:25", NULL, 0},
    {"u@h:25", NULL, 0},
    {"h:25", "h", 25},
    {"[2001:db8::1]:587", "2001:db8::1", 587},
};

START_TEST(smarthosts) {
    OWN(text) char *host = NULL;
    int port = 0;
    ck_assert_msg(
        smarthost_parse(servers[_i].text, &host, &port) == (servers[_i].host != NULL), "`%s`", servers[_i].text);
    if (!servers[_i].host) return;
    ck_assert_str_eq(host, servers[_i].host);
    ck_assert_int_eq(port, servers[_i].port);
}
END_TEST

static const struct Line {
    const char *text, *want;
} lines[] = {
    {"", "X: \r\n"},
    {"plain", "X: plain\r\n"},
    {"a\r\nBcc: b@c.org", "X: a  Bcc: b@c.org\r\n"},
    {"=?UTF-8?B?eA==?=", "X:\r\n =?UTF-8?B?PT9VVEYtOD9CP2VBPT0/PQ==?=\r\n"},
    {"\xc3\xa9", "X:\r\n =?UTF-8?B?w6k=?=\r\n"},
    {"\xff\xfe", "X:   \r\n"},
    {"a\xe2\x80\xae\xc2\x9b"
     "b",
        "X: a  b\r\n"},
    {"word word word word word word word word word word word word word word word word word",
        "X: word word word word word word word word word word word word word word\r\n word word word\r\n"},
    {"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
     "\xc3\xa9"
     "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
        "X:\r\n =?UTF-8?B?w6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6k=?=\r\n =?UTF-8?B?w6k=?=\r\n"},
};

START_TEST(header_lines) {
    OWN(buffer) Buffer out = BUFFER((size_t)10000);
    mime_header(&out, "X", lines[_i].text);
    ck_assert_str_eq(buffer_string(&out), lines[_i].want);
}
END_TEST

static const struct Line bodies[] = {
    {"", ""},
    {"a\nb", "a\r\nb\r\n"},
    {"a=b\xc3\xa9", "a=3Db=C3=A9\r\n"},
    {".\n..\nFrom x\n", "=2E\r\n=2E.\r\n=46rom x\r\n"},
    {"a \nb\t\r\n", "a=20\r\nb=09=0D\r\n"},
    {"0123456789012345678901234567890123456789012345678901234567890123456789012345",
        "0123456789012345678901234567890123456789012345678901234567890123456789012=\r\n345\r\n"},
};

START_TEST(quoted_printable) {
    OWN(buffer) Buffer out = BUFFER((size_t)10000);
    mime_quoted(&out, bodies[_i].text);
    ck_assert_str_eq(buffer_string(&out), bodies[_i].want);
}
END_TEST

static char *build(const char *notification, const char *subject) {
    OWN(notice) Notice *notice = notice_read(notification);
    Address to[] = {{"On call", "a@b.org"}, {"", "c@b.org"}}, cc[] = {{"J\xc3\xb6rg", "d@b.org"}};
    OWN(json) json_t *headers = json_pack("{s:s,s:s}", "X-Team", "ops", "Subject", "no");
    const MailSettings settings = {.from = {"", "tocsin@b.org"},
        .to = to,
        .to_count = 2,
        .cc = cc,
        .cc_count = 1,
        .subject = subject,
        .headers = headers};
    return mail_build(notice, &settings);
}

START_TEST(a_whole_mail) {
    OWN(text)
    char *message = world_notification(2, "firing"), *mail = build(message, NULL), *again = build(message, NULL);
    ck_assert_str_eq(mail, again);
    static const char head[] =
        "Date: Fri, 02 Jan 2026 03:09:05 +0000\r\n"
        "From: tocsin@b.org\r\n"
        "To: \"On call\"\r\n <a@b.org>,\r\n c@b.org\r\n"
        "Cc: =?UTF-8?B?SsO2cmc=?=\r\n <d@b.org>\r\n"
        "Subject: [FIRING:1] api-latency-p99 (prod eu-west-1)\r\n"
        "Message-ID: <7f0c1b9e-1111-4222-8333-444455556666@b.org>\r\n"
        "MIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\nX-Team: ops\r\n"
        "Content-Type: multipart/alternative;\r\n"
        " boundary=\"=_tocsin_7f0c1b9e-1111-4222-8333-444455556666\"\r\n\r\n"
        "--=_tocsin_7f0c1b9e-1111-4222-8333-444455556666\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        "2 firing\r\n\r\n"
        "FIRING: api-latency-p99 is 1.23 (> 0.8) for 5 min in prod eu-west-1\r\n"
        "  alarm      api-latency-p99\r\n"
        "  severity   critical\r\n"
        "  value      1.23, threshold 0.8\r\n"
        "  worst      2.5\r\n"
        "  since      2026-01-02 03:04:05 UTC\r\n"
        "  where      account prod, region eu-west-1, LoadBalancer app/api/50dc, n=\r\number 0\r\n"
        "  why        Threshold Crossed: 3 out of the last 5 datapoints\r\n"
        "  runbook    https://example.org/run?a=3D1&b=3D2\r\n"
        "  console    https://console.aws.amazon.com/x#y=3D1\r\n";
    ck_assert_msg(strncmp(mail, head, strlen(head)) == 0, "%.*s", (int)strlen(head), mail);
    ck_assert_ptr_nonnull(strstr(mail, "background:#b3261e"));
    ck_assert_ptr_nonnull(strstr(mail, "run?a=3D1&amp;b=3D2"));
}
END_TEST

START_TEST(a_subject_of_ones_own) {
    OWN(text) char *message = world_notification(1, "firing"), *mail = build(message, "[x] {subject}!");
    ck_assert_ptr_nonnull(strstr(mail, "Subject: [x] [FIRING:1] api-latency-p99 (prod eu-west-1)!\r\n"));
}
END_TEST

/* A hostile text in every field: nothing but what is meant comes out. */
START_TEST(nothing_breaks_out) {
    static const char evil[] =
        "x\\r\\nBcc: e@f.org\\r\\n\\r\\n<script>alert(1)</script>\\\"'&%s${x}\\u001b\\u202e--=_tocsin_7f0c";
    OWN(text)
    char *alert =
        text_format("{\"status\":\"firing\",\"labels\":{\"alertname\":\"%1$s\",\"severity\":\"%1$s\",\"%1$s\":"
                    "\"%1$s\"},\"annotations\":{\"summary\":\"%1$s\",\"reason\":\"%1$s\",\"runbook_url\":"
                    "\"javascript:%1$s\",\"value\":\"%1$s\"},\"generatorURL\":\"https://a.org/%1$s\"}",
            evil);
    OWN(text)
    char *message = text_format("{\"id\":\"%1$s\",\"created_at\":\"%1$s\",\"receiver\":\"%1$s\",\"subject\":\"%1$s\","
                                "\"webhook\":{\"alerts\":[%2$s],\"externalURL\":\"%1$s\"}}",
        evil, alert);
    OWN(text) char *mail = build(message, NULL);
    OWN(text) char *head = text_copy_length(mail, (size_t)(strstr(mail, "\r\n\r\n") - mail));
    ck_assert_ptr_null(strstr(head, "\nBcc:"));
    ck_assert_ptr_null(strstr(strstr(mail, "text/html"), "<script"));
    ck_assert_ptr_null(strstr(mail, "javascript:"));
    ck_assert_ptr_null(strchr(mail, 0x1b));
    for (const char *p = mail; *p; p++) {
        ck_assert((*p == '\n') == (p > mail && p[-1] == '\r'));
        ck_assert(*p != '\r' || p[1] == '\n');
        ck_assert((unsigned char)*p < 0x7f);
    }
}
END_TEST

/* What several alerts are stands first; who is on one, beside it. */
START_TEST(a_group_is_seen_at_a_glance) {
    static const struct Group {
        const char *statuses[3];
        int truncated;
        const char *want;
    } groups[] = {{{"firing", NULL}, 0, ""}, {{"firing", "resolved", NULL}, 0, "1 firing, 1 resolved"},
        {{"resolved", "resolved", NULL}, 0, "2 resolved"}, {{"firing", NULL}, 7, "1 firing, 7 more"}, {{NULL}, 0, ""}};
    for (size_t i = 0; i < COUNT_OF(groups); i++) {
        json_t *alerts = json_array();
        for (size_t a = 0; groups[i].statuses[a]; a++)
            json_array_append_new(alerts,
                json_pack("{s:s, s:{s:s, s:s}}", "status", groups[i].statuses[a], "annotations", "acknowledged_by",
                    "bob", "acknowledged_comment", "looking"));
        OWN(json)
        json_t *message = json_pack(
            "{s:s, s:{s:o, s:i}}", "id", "1", "webhook", "alerts", alerts, "truncatedAlerts", groups[i].truncated);
        OWN(text) char *text = json_dumps(message, 0);
        OWN(notice) Notice *notice = notice_read(text);
        OWN(text) char *glance = notice_glance(notice);
        ck_assert_str_eq(glance, groups[i].want);
        OWN(buffer) Buffer plain = BUFFER((size_t)65536);
        plain_write(notice, 9, &plain);
        ck_assert_int_eq(strncmp(buffer_string(&plain), groups[i].want, strlen(groups[i].want)), 0);
        if (notice->count) ck_assert_ptr_nonnull(strstr(buffer_string(&plain), "  taken by   bob: looking\n"));
    }
}
END_TEST

START_TEST(a_mail_keeps_its_bound) {
    OWN(text) char *message = world_notification(900, "resolved"), *mail = build(message, NULL);
    ck_assert_uint_lt(strlen(mail), MAIL_BYTES_MAX);
    ck_assert_ptr_nonnull(strstr(mail, "and 880 more."));
    ck_assert_ptr_nonnull(strstr(mail, "  cleared at 0.4\r\n"));
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, addresses, 0, COUNT_OF(people));
    tcase_add_loop_test(tcase, smarthosts, 0, COUNT_OF(servers));
    tcase_add_loop_test(tcase, header_lines, 0, COUNT_OF(lines));
    tcase_add_loop_test(tcase, quoted_printable, 0, COUNT_OF(bodies));
    tcase_add_test(tcase, a_whole_mail);
    tcase_add_test(tcase, a_group_is_seen_at_a_glance);
    tcase_add_test(tcase, a_subject_of_ones_own);
    tcase_add_test(tcase, nothing_breaks_out);
    tcase_add_test(tcase, a_mail_keeps_its_bound);
}
int main(void) { return run_tests("mail", fill); }
