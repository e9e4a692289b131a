/* A notification to a mail and to SNS's form. Holds: no bare CR or LF, no byte that is not printable ASCII, a head of
 * exactly the lines that are meant; the form holds unreserved characters alone. */
#include "fuzz.h"

#include "base/alloc.h"
#include "email/mail.h"
#include "sns/message.h"

#include <stdlib.h>
#include <string.h>

static void check_lines(const char *mail) {
    for (const char *p = mail; *p; p++) {
        if (*p == '\n' && (p == mail || p[-1] != '\r')) abort();
        if (*p == '\r' && p[1] != '\n') abort();
        if ((unsigned char)*p >= 0x7f || ((unsigned char)*p < ' ' && *p != '\r' && *p != '\n')) abort();
    }
}

/* The head's lines that begin a header, not those that go on with one. */
static size_t count_headers(const char *mail) {
    size_t count = 0;
    for (const char *line = mail; strncmp(line, "\r\n", 2) != 0; line = strstr(line, "\r\n") + 2) count += *line != ' ';
    return count;
}

static void check_mail(const Notice *notice) {
    Address to[] = {{(char *)(uintptr_t) "On call", (char *)(uintptr_t) "a@b.org"}};
    const MailSettings settings = {.from = {(char *)(uintptr_t) "", (char *)(uintptr_t) "t@b.org"},
        .to = to,
        .to_count = 1,
        .subject = "[x] {subject}"};
    OWN(text) char *mail = mail_build(notice, &settings);
    check_lines(mail);
    if (count_headers(mail) != 8) abort();
    if (strlen(mail) > MAIL_BYTES_MAX) abort();
}

static void check_form(const Notice *notice) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~%&=";
    OWN(text) char *body = sns_body(notice, &(SnsTarget){.topic_arn = "arn:aws:sns:eu-west-1:111122223333:t"});
    if (body && body[strspn(body, allowed)]) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    OWN(text) char *text = text_copy_length((const char *)data, size);
    OWN(notice) Notice *notice = notice_read(text);
    if (!notice) return 0;
    check_mail(notice);
    check_form(notice);
    return 0;
}
