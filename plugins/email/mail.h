/* A notification as a mail: RFC 5322, multipart/alternative, text and HTML. Pure: boundary, Message-ID and Date come
 * from the notification, so that a retry sends the same bytes. */
#ifndef TOCSIN_EMAIL_MAIL_H
#define TOCSIN_EMAIL_MAIL_H

#include "email/address.h"
#include "kit/notice.h"

enum { MAIL_RECIPIENTS_MAX = 100, MAIL_HEADERS_MAX = 50, MAIL_BYTES_MAX = 1 << 20, MAIL_ALERTS_MAX = 20 };

typedef struct MailSettings {
    Address from;
    const Address *to, *cc;
    size_t to_count, cc_count;
    const char *subject; /* `{subject}` in it stands for the notification's own; NULL: that alone */
    const json_t *headers; /* names and texts; may be NULL */
} MailSettings;

/* Every line ends in CR LF. Caller frees. */
char *mail_build(const Notice *notice, const MailSettings *settings);

/* May a person set this header? Not what the mail itself hangs on, and nothing that is no header's name. */
bool mail_header_ok(const char *name);

#endif
