#include "email/mail.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"
#include "base/timetext.h"
#include "email/html.h"
#include "email/mime.h"
#include "kit/plain.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ID_MAX = 64, PART_MAX = 1 << 20 };

bool mail_header_ok(const char *name) {
    static const char *const ours[] = {"Bcc", "Cc", "Date", "From", "Message-ID", "MIME-Version", "Received",
        "Return-Path", "Sender", "Subject", "To", "Auto-Submitted"};
    const size_t length = strlen(name);
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '-') return false;
    for (size_t i = 0; i < COUNT_OF(ours); i++)
        if (strcasecmp(name, ours[i]) == 0) return false;
    return length > 0 && length <= 70 && strncasecmp(name, "Content-", 8) != 0;
}

/* The notification's id as it can stand in a header; what is no id's character becomes `-`. */
static void id_text(const Notice *notice, char ret_id[static ID_MAX + 1]) {
    size_t length = 0;
    for (const char *p = notice->id; *p && length < ID_MAX; p++)
        ret_id[length++] = isalnum((unsigned char)*p) ? *p : '-';
    ret_id[length] = '\0';
}

static void put_address(Buffer *out, const Address *address) {
    if (*address->name) {
        mime_phrase(out, address->name);
        buffer_format(out, "\r\n <%s>", address->address);
    } else
        buffer_text(out, address->address);
}

/* One a line: no fold inside an address. */
static void put_addresses(Buffer *out, const char *name, const Address *list, size_t count) {
    if (count == 0) return;
    buffer_format(out, "%s: ", name);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) buffer_text(out, ",\r\n ");
        put_address(out, &list[i]);
    }
    buffer_text(out, "\r\n");
}

static char *subject_text(const Notice *notice, const char *configured) {
    static const char place[] = "{subject}";
    if (!configured) return text_copy(notice->subject);
    const char *at = strstr(configured, place);
    if (!at) return text_copy(configured);
    return text_format("%.*s%s%s", (int)(at - configured), configured, notice->subject, at + strlen(place));
}

static void put_configured(Buffer *out, const json_t *headers) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)headers, name, value) {
        if (json_is_string(value) && mail_header_ok(name)) mime_header(out, name, json_string_value(value));
    }
}

static void put_headers(Buffer *out, const Notice *notice, const MailSettings *settings, const char *id) {
    char date[TIME_TEXT_MAX];
    OWN(text) char *subject = subject_text(notice, settings->subject);
    buffer_format(out, "Date: %s\r\n", time_format_mail(notice->created_ms, date));
    put_addresses(out, "From", &settings->from, 1);
    put_addresses(out, "To", settings->to, settings->to_count);
    put_addresses(out, "Cc", settings->cc, settings->cc_count);
    mime_header(out, "Subject", subject);
    buffer_format(out, "Message-ID: <%s@%s>\r\n", id, strchr(settings->from.address, '@') + 1);
    buffer_text(out, "MIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\n");
    put_configured(out, settings->headers);
}

static void put_part(Buffer *out, const char *id, const char *type, const char *text) {
    buffer_format(out,
        "--=_tocsin_%s\r\nContent-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", id,
        type);
    mime_quoted(out, text);
    buffer_text(out, "\r\n");
}

/* With at most `alerts` in full; false: too long. */
static bool build(const Notice *notice, const MailSettings *settings, size_t alerts, Buffer *out) {
    char id[ID_MAX + 1];
    OWN(buffer) Buffer plain = BUFFER((size_t)PART_MAX), html = BUFFER((size_t)PART_MAX);
    id_text(notice, id);
    plain_write(notice, alerts, &plain);
    html_write(notice, alerts, &html);
    put_headers(out, notice, settings, id);
    /* no line of quoted-printable holds `=_`, so this boundary stands in no part */
    buffer_format(out, "Content-Type: multipart/alternative;\r\n boundary=\"=_tocsin_%s\"\r\n\r\n", id);
    put_part(out, id, "text/plain", buffer_string(&plain));
    put_part(out, id, "text/html", buffer_string(&html));
    buffer_format(out, "--=_tocsin_%s--\r\n", id);
    return !out->overflow && !plain.overflow && !html.overflow;
}

char *mail_build(const Notice *notice, const MailSettings *settings) {
    for (size_t alerts = MAIL_ALERTS_MAX;; alerts /= 2) { /* fewer alerts in full until it fits */
        Buffer out = BUFFER((size_t)MAIL_BYTES_MAX);
        if (build(notice, settings, alerts, &out) || alerts == 0) return buffer_take(&out);
        buffer_deinit(&out);
    }
}
