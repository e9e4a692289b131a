/* One mail transaction of SMTP, from MAIL FROM to the answer that takes or refuses the mail; greeting, TLS and login
 * came before. Pure: replies in, commands out. Ours, because libcurl 7.88 waits for the answer to the message in a
 * blocking read, and nothing may hold the loop. Source: RFC 5321, sections 3.3 and 4.2. */
#ifndef TOCSIN_NET_SMTP_H
#define TOCSIN_NET_SMTP_H

#include <stdbool.h>
#include <stddef.h>

enum { SMTP_RECIPIENTS = 100, SMTP_WORDS = 500, SMTP_LINE_MAX = 2048 };

typedef enum { SMTP_MAIL, SMTP_RCPT, SMTP_DATA, SMTP_MESSAGE, SMTP_OVER } SmtpStep; /* what is being answered */

typedef struct SmtpReply {
    int code; /* 0: none yet */
    char words[SMTP_WORDS]; /* the server's own, its lines joined; control characters replaced */
} SmtpReply;

typedef struct Smtp {
    char *from, *recipients[SMTP_RECIPIENTS];
    int codes[SMTP_RECIPIENTS]; /* each one's answer */
    size_t count, asked;
    char *message; /* in wiped memory, dots doubled, its end included */
    size_t message_length;
    SmtpStep step;
    SmtpReply reply; /* being read */
    SmtpReply refusal; /* the last that refused something */
    SmtpReply soft; /* a recipient refused for now only */
    bool accepted, broken; /* over: the mail was taken; what came is no SMTP */
    const char *out; /* to be sent now: `out_length` bytes */
    size_t out_length;
    char command[512];
} Smtp;

/* Copies. False: an address that cannot be sent as it is, none, or too many; nothing is sent then. */
bool smtp_init(Smtp *smtp, const char *from, const char *const *recipients, const char *message, size_t length);
void smtp_deinit(Smtp *smtp);
void smtp_begin(Smtp *smtp);
/* A line of a reply, with or without its end; after one that ends a reply `out` is what to say next, or step is
 * SMTP_OVER. */
void smtp_hear(Smtp *smtp, const char *line, size_t length);
/* Adds a line to `reply`; true: it is whole now. A line without a code gives code -1. */
bool smtp_reply_line(SmtpReply *reply, const char *line, size_t length);
/* The reply that decided against the mail: code 0 where none did. */
const SmtpReply *smtp_verdict(const Smtp *smtp);

#endif
