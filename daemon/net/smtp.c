#include "net/smtp.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An envelope's address is a line of the dialogue: CR LF in it would be a command. */
static bool address_ok(const char *address) {
    return address && *address && strlen(address) <= 320 && !has_control(address) && !strpbrk(address, "<> ");
}

/* A dot at a line's start is doubled, the last line ends, and a lone dot ends the whole. */
static void prepare(Smtp *smtp, const char *message, size_t length) {
    size_t dots = 0;
    for (size_t i = 0; i < length; i++) dots += message[i] == '.' && (i == 0 || message[i - 1] == '\n');
    smtp->message = guard_malloc(length + dots + 6);
    if (!smtp->message) abort();
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        if (message[i] == '.' && (i == 0 || message[i - 1] == '\n')) smtp->message[used++] = '.';
        smtp->message[used++] = message[i];
    }
    const bool ended = length >= 2 && memcmp(message + length - 2, "\r\n", 2) == 0;
    const char *end = ended ? ".\r\n" : "\r\n.\r\n";
    memcpy(smtp->message + used, end, strlen(end));
    smtp->message_length = used + strlen(end);
}

bool smtp_init(Smtp *smtp, const char *from, const char *const *recipients, const char *message, size_t length) {
    *smtp = (Smtp){0};
    if (!address_ok(from)) return false;
    smtp->from = text_copy(from);
    for (; recipients && *recipients; recipients++) {
        if (smtp->count == SMTP_RECIPIENTS || !address_ok(*recipients)) return false;
        smtp->recipients[smtp->count++] = text_copy(*recipients);
    }
    prepare(smtp, message, length);
    return smtp->count > 0;
}

void smtp_deinit(Smtp *smtp) {
    free(smtp->from);
    for (size_t i = 0; i < smtp->count; i++) free(smtp->recipients[i]);
    guard_free(smtp->message);
    *smtp = (Smtp){0};
}

static void say(Smtp *smtp, SmtpStep step, const char *format, const char *address) {
    smtp->step = step;
    smtp->out_length =
        (size_t)snprintf(smtp->command, sizeof smtp->command, "%s%s%s", format, address, *address ? ">\r\n" : "\r\n");
    smtp->out = smtp->command;
}

void smtp_begin(Smtp *smtp) { say(smtp, SMTP_MAIL, "MAIL FROM:<", smtp->from); }

bool smtp_reply_line(SmtpReply *reply, const char *line, size_t length) {
    while (length && isspace((unsigned char)line[length - 1])) length--;
    const bool coded = length >= 3 && isdigit((unsigned char)line[0]) && isdigit((unsigned char)line[1]) &&
        isdigit((unsigned char)line[2]);
    size_t used = strlen(reply->words), from = used && coded ? 4 : 0; /* the code once is enough */
    if (used && used + 1 < sizeof reply->words) reply->words[used++] = ' ';
    for (size_t i = from; i < length && used + 1 < sizeof reply->words; i++)
        reply->words[used++] = (unsigned char)line[i] < 0x20 || line[i] == 0x7f ? '?' : line[i];
    reply->words[used] = 0;
    reply->code = coded ? (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0') : -1;
    return !coded || length == 3 || line[3] != '-';
}

static void over(Smtp *smtp, bool accepted) {
    smtp->step = SMTP_OVER;
    smtp->accepted = accepted;
    smtp->out_length = 0;
}

static void ask_next(Smtp *smtp) {
    if (smtp->asked < smtp->count) {
        say(smtp, SMTP_RCPT, "RCPT TO:<", smtp->recipients[smtp->asked++]);
        return;
    }
    for (size_t i = 0; i < smtp->count; i++)
        if (smtp->codes[i] < 300) {
            say(smtp, SMTP_DATA, "DATA", "");
            return;
        }
    over(smtp, false); /* nobody is left to send to */
}

static void took(Smtp *smtp, int code) {
    switch (smtp->step) {
    case SMTP_MAIL: ask_next(smtp); return;
    case SMTP_RCPT:
        smtp->codes[smtp->asked - 1] = code;
        ask_next(smtp);
        return;
    case SMTP_DATA:
        smtp->step = SMTP_MESSAGE;
        smtp->out = smtp->message;
        smtp->out_length = smtp->message_length;
        return;
    case SMTP_MESSAGE: over(smtp, true); return;
    case SMTP_OVER: return;
    }
}

void smtp_hear(Smtp *smtp, const char *line, size_t length) {
    if (smtp->step == SMTP_OVER || !smtp_reply_line(&smtp->reply, line, length)) return;
    const SmtpReply reply = smtp->reply;
    smtp->reply = (SmtpReply){0};
    const int wanted = smtp->step == SMTP_DATA ? 3 : 2;
    if (reply.code / 100 == wanted) {
        took(smtp, reply.code);
        return;
    }
    if (reply.code < 400 || reply.code > 599) { /* an answer to something that was not asked */
        smtp->broken = true;
        over(smtp, false);
        return;
    }
    smtp->refusal = reply;
    if (smtp->step == SMTP_RCPT && reply.code != 421) {
        if (reply.code < 500) smtp->soft = reply;
        took(smtp, reply.code);
        return;
    }
    smtp->soft = (SmtpReply){0};
    over(smtp, false);
}

const SmtpReply *smtp_verdict(const Smtp *smtp) {
    static const SmtpReply none = {0};
    if (smtp->step != SMTP_OVER || smtp->accepted || smtp->broken) return &none;
    return smtp->soft.code ? &smtp->soft : &smtp->refusal; /* all refused, one of them for now: worth another try */
}
