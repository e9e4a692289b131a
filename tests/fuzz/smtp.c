/* What a mail server says, a line after another, to an envelope of two. Holds: what goes out is one command a line, the
 * message once and whole; the mail is taken only by a 2yz to its end, and never without a recipient that was; a refusal
 * has a code from 400 to 599 and harmless words. */
#include "fuzz.h"

#include "base/alloc.h"
#include "base/text.h"
#include "net/smtp.h"

#include <stdlib.h>
#include <string.h>

static const char message[] = "Subject: x\r\n\r\n.a\r\n";
static const char wire[] = "Subject: x\r\n\r\n..a\r\n.\r\n";

typedef struct Said {
    size_t commands, messages;
} Said;

/* `line` is the last one heard. */
static void look_at_output(const Smtp *smtp, const char *line, Said *said) {
    if (smtp->accepted && *line != '2') abort();
    if (!smtp->out_length) return;
    if (smtp->step == SMTP_MESSAGE) {
        if (*line != '3') abort();
        if (smtp->out_length != strlen(wire) || memcmp(smtp->out, wire, strlen(wire)) != 0) abort();
        said->messages++;
        return;
    }
    const char *end = memchr(smtp->out, '\r', smtp->out_length);
    if (!end || (size_t)(end - smtp->out) != smtp->out_length - 2 || end[1] != '\n') abort();
    said->commands++;
}

static void check_end(const Smtp *smtp, const Said *said) {
    const SmtpReply *verdict = smtp_verdict(smtp);
    if (said->messages > 1 || said->commands > 4) abort(); /* MAIL, RCPT twice, DATA */
    if (smtp->accepted && (smtp->step != SMTP_OVER || !said->messages)) abort();
    if (smtp->accepted && smtp->codes[0] / 100 != 2 && smtp->codes[1] / 100 != 2) abort();
    if (smtp->step == SMTP_OVER && smtp->accepted + smtp->broken + (verdict->code != 0) != 1) abort();
    if (verdict->code && (verdict->code < 400 || verdict->code > 599)) abort();
    if (strnlen(verdict->words, SMTP_WORDS) == SMTP_WORDS || has_control(verdict->words)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const recipients[] = {"a@example.org", "b@example.org", NULL};
    Smtp smtp;
    Said said = {0};
    if (!smtp_init(&smtp, "t@example.org", recipients, message, strlen(message))) abort();
    smtp_begin(&smtp);
    look_at_output(&smtp, "", &said);
    OWN(text) char *text = text_copy_length((const char *)data, size);
    for (const char *line = text; *line && smtp.step != SMTP_OVER;) {
        const size_t length = strcspn(line, "\n") + (strchr(line, '\n') != NULL);
        smtp.out_length = 0; /* it was sent */
        smtp_hear(&smtp, line, length);
        look_at_output(&smtp, line, &said);
        line += length;
    }
    check_end(&smtp, &said);
    smtp_hear(&smtp, "250 late\r\n", 10);
    smtp_deinit(&smtp);
    return 0;
}
