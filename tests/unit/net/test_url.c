#include "net/url.h"

#include "../run.h"
#include "base/alloc.h"
#include "net/answer.h"
#include "net/http.h"

#include <stdlib.h>
#include <string.h>

static const struct Url {
    const char *text, *host, *authority, *path;
    int port;
} urls[] = {
    {"https://Example.ORG", "example.org", "example.org", "/", 443},
    {"http://127.0.0.1:4566/a?b=c", "127.0.0.1", "127.0.0.1:4566", "/a?b=c", 4566},
    {"https://[2001:DB8::1]:8443/", "2001:db8::1", "[2001:db8::1]:8443", "/", 8443},
    {"https://example.org:443/", "example.org", "example.org", "/", 443},
    {"", NULL, NULL, NULL, 0},
    {"example.org", NULL, NULL, NULL, 0},
    {"https://", NULL, NULL, NULL, 0},
    {"https://u:p@example.org/", NULL, NULL, NULL, 0},
    {"https://ex\tample.org/", NULL, NULL, NULL, 0},
    {"https://exämple.org/", NULL, NULL, NULL, 0},
    {"file:///etc/passwd", NULL, NULL, NULL, 0},
    {"gopher://example.org/", NULL, NULL, NULL, 0},
    {"https://example.org:99999/", NULL, NULL, NULL, 0},
    {"https://exa mple.org/", NULL, NULL, NULL, 0},
};

START_TEST(splitting) {
    const struct Url *c = &urls[_i];
    UrlParts parts = {0};
    Error err = {0};
    ck_assert_msg(url_split(c->text, &parts, &err) == (c->host != NULL), "%s: %s", c->text, err.text);
    ck_assert_int_eq(url_ok(c->text, true, NULL), c->host != NULL);
    if (!c->host) {
        ck_assert(err.kind == ERROR_INPUT && !strstr(err.text, "passwd") && !strstr(err.text, "u:p"));
        return;
    }
    ck_assert_str_eq(parts.host, c->host);
    ck_assert_str_eq(parts.authority, c->authority);
    ck_assert_str_eq(parts.path, c->path);
    ck_assert_int_eq(parts.port, c->port);
    url_parts_deinit(&parts);
}
END_TEST

static const struct Proxy {
    const char *scheme, *host, *no_proxy, *want;
} proxies[] = {
    {"https", "a.example.org", "", "http://secure:3128"},
    {"http", "a.example.org", "", "http://plain:3128"},
    {"https", "a.example.org", "example.org", NULL},
    {"https", "a.example.org", ".example.org, x", NULL},
    {"https", "notexample.org", "example.org", "http://secure:3128"},
    {"https", "a.example.org", "*", NULL},
    {"https", "127.0.0.1", "localhost,127.0.0.1", NULL},
};

START_TEST(proxy_of_the_environment) {
    const struct Proxy *c = &proxies[_i];
    setenv("https_proxy", "http://secure:3128", 1);
    setenv("http_proxy", "http://plain:3128", 1);
    setenv("no_proxy", c->no_proxy, 1);
    OWN(text) char *got = proxy_from_environment(c->scheme, c->host);
    if (c->want)
        ck_assert_str_eq(got, c->want);
    else
        ck_assert_ptr_null(got);
}
END_TEST

static const struct Proxy2 {
    const char *text, *host;
    int port;
} splits[] = {{"http://p:3128", "p", 3128}, {"p:8080", "p", 8080}, {"http://u:pw@p", "p", 1080},
    {"https://p", "p", 443}, {"socks4://p:1", NULL, 0}, {"http://p\r\n:1", NULL, 0}, {"", NULL, 0}};

START_TEST(proxy_split_up) {
    const struct Proxy2 *c = &splits[_i];
    OWN(text) char *host = NULL;
    int port = 0;
    Error err = {0};
    ck_assert_msg(proxy_split(c->text, &host, &port, &err) == (c->host != NULL), "%s: %s", c->text, err.text);
    if (c->host) ck_assert_str_eq(host, c->host);
    ck_assert_int_eq(port, c->port);
}
END_TEST

static const struct Local {
    const char *address;
    bool forbidden;
} locals[] = {{"169.254.0.1", true}, {"169.253.255.255", false}, {"fe80::1", true}, {"febf::1", true},
    {"fec0::1", false}, {"fd00:ec2::254", true}, {"fd00:ec3::254", false}, {"::ffff:169.254.169.254", true},
    {"::169.254.169.254", true}, {"::ffff:0:169.254.169.254", true}, {"64:ff9b:1::169.254.1.1", true},
    {"64:ff9b:1::10.0.0.1", false}, {"64:ff9b::169.254.1.1", true}, {"2002:a9fe:a9fe::", true}, {"127.0.0.1", false},
    {"::1", false}, {"10.0.0.1", false}};

START_TEST(link_local) {
    struct sockaddr_storage address;
    ck_assert(host_is_address(locals[_i].address, &address));
    ck_assert_msg(address_is_link_local((const void *)&address) == locals[_i].forbidden, "%s", locals[_i].address);
}
END_TEST

static const struct Spelled {
    const char *url;
    bool forbidden;
} spelled[] = {{"http://169.254.169.254/latest", true}, {"http://2852039166/", true}, {"http://0xA9FEA9FE/", true},
    {"http://0xa9.0xfe.0xa9.0xfe/", true}, {"http://0251.0376.0251.0376/", true}, {"http://169.16689662/", true},
    {"http://169.254.43518/", true}, {"http://169.0376.0xa9fe/", true}, {"http://[::ffff:a9fe:a9fe]/", true},
    {"http://[::FFFF:169.254.169.254]/", true}, {"http://[fe80::1%25eth0]/", true},
    {"https://[fd00:ec2::254]:8443/", true}, {"http://169.254.170.2/v2/credentials", true},
    {"http://%31%36%39.254.169.254/", true}, {"http://127.0.0.1/", false}, {"http://2130706433/", false},
    {"http://10.0.0.1/", false}, {"http://metadata.example.org/", false},
    {"http://169.254.169.254.example.org/", false}};

START_TEST(link_local_however_spelled) {
    const struct Spelled *c = &spelled[_i];
    ck_assert_msg(url_ok(c->url, true, NULL), "%s", c->url);
    ck_assert_msg(url_is_link_local(c->url) == c->forbidden, "%s", c->url);
}
END_TEST

static const struct Retry {
    const char *line;
    int64_t wait_ms;
} retries[] = {{"Retry-After: 7\r\n", 7000}, {"retry-after:0\r\n", 0}, {"Retry-After: -5\r\n", 0},
    {"Retry-After: soon\r\n", 0}, {"Retry-After:\r\n", 0},
    {"Retry-After: 99999999999999999999999999\r\n", RETRY_AFTER_MAX_MS}, {"x-amz-retry-after: 1500\r\n", 1500},
    {"Retry-After: Fri, 02 Jan 2026 03:04:15 GMT\r\n", 10000}, {"Retry-After: Fri, 02 Jan 2026 03:04:00 GMT\r\n", 0},
    {"X: y\r\n", 0}};

START_TEST(retry_after) {
    AnswerHeaders headers = {0};
    ck_assert(answer_headers_line(&headers, retries[_i].line, strlen(retries[_i].line)));
    ck_assert_msg(retry_after_ms(&headers, 1767323045000) == retries[_i].wait_ms, "%s: %ld", retries[_i].line,
        (long)retry_after_ms(&headers, 1767323045000));
    answer_headers_deinit(&headers);
}
END_TEST

START_TEST(header_bounds) {
    AnswerHeaders headers = {0};
    size_t kept = 0;
    while (kept < 1000 && answer_headers_line(&headers, "A: b\r\n", 6)) kept++;
    ck_assert_uint_eq(kept, ANSWER_HEADERS);
    ck_assert(answer_headers_line(&headers, "HTTP/1.1 200 OK\r\n", 17) && headers.count == 0); /* begins anew */
    static char long_line[ANSWER_HEADER_BYTES + 1] = "A:";
    ck_assert(!answer_headers_line(&headers, long_line, sizeof long_line));
    answer_headers_deinit(&headers);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, splitting, 0, COUNT_OF(urls));
    tcase_add_loop_test(tcase, proxy_of_the_environment, 0, COUNT_OF(proxies));
    tcase_add_loop_test(tcase, proxy_split_up, 0, COUNT_OF(splits));
    tcase_add_loop_test(tcase, link_local, 0, COUNT_OF(locals));
    tcase_add_loop_test(tcase, link_local_however_spelled, 0, COUNT_OF(spelled));
    tcase_add_loop_test(tcase, retry_after, 0, COUNT_OF(retries));
    tcase_add_test(tcase, header_bounds);
}

int main(void) { return run_tests("url", fill); }
