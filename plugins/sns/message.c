#include "sns/message.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/text.h"
#include "kit/plain.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 1 << 20, ATTRIBUTES_ROOM = 2048, ATTRIBUTE_MAX = 256, NAME_MAX_TOPIC = 256 };

/* --- shapes --- */

static bool is_word(const char *text, size_t length, const char *besides) {
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr(besides, text[i])) return false;
    return length > 0;
}

/* arn:PARTITION:sns:REGION:ACCOUNT:NAME */
bool sns_topic_ok(const char *arn) {
    const char *parts[6];
    size_t lengths[6], count = 0;
    for (const char *p = arn; count < 6; p += lengths[count++] + 1) {
        parts[count] = p;
        lengths[count] = count == 5 ? strlen(p) : strcspn(p, ":");
        if (count < 5 && p[lengths[count]] != ':') return false;
    }
    const bool is_fifo = sns_is_fifo(arn);
    const size_t name = lengths[5] - (is_fifo ? strlen(".fifo") : 0);
    return strncmp(arn, "arn:", 4) == 0 && strncmp(parts[1], "aws", 3) == 0 && is_word(parts[1], lengths[1], "-") &&
        strncmp(parts[2], "sns:", 4) == 0 && is_word(parts[3], lengths[3], "-") && lengths[4] == 12 &&
        strspn(parts[4], "0123456789") == 12 && lengths[5] <= NAME_MAX_TOPIC && is_word(parts[5], name, "-_");
}

bool sns_phone_ok(const char *number) {
    const size_t digits = strspn(number + (*number == '+'), "0123456789");
    return number[0] == '+' && number[1] != '0' && digits >= 2 && digits <= 15 && !number[1 + digits];
}

bool sns_is_fifo(const char *arn) {
    const size_t length = strlen(arn);
    return length > 5 && strcmp(arn + length - 5, ".fifo") == 0;
}

char *sns_topic_region(const char *arn) {
    const char *region = arn;
    for (int colons = 0; colons < 3; colons++) region = strchr(region, ':') + 1;
    return text_copy_length(region, strcspn(region, ":"));
}

/* --- the parts of a message --- */

char *sns_subject(const Notice *notice) {
    Buffer out = BUFFER((size_t)SNS_SUBJECT_MAX);
    for (const unsigned char *p = (const unsigned char *)notice->subject; *p; p++) {
        if ((*p & 0xc0) == 0x80) continue; /* a character of several bytes is one `?` */
        const char byte = *p >= 0x80 ? '?' : *p < 0x20 || *p == 0x7f ? ' ' : (char)*p;
        if (out.used == 0 && byte == ' ') continue;
        if (!buffer_add(&out, &byte, 1)) break;
    }
    if (out.used == 0) buffer_text(&out, "Tocsin");
    return buffer_take(&out);
}

/* At most `max` characters. */
static char *cut(const char *text, size_t max) {
    size_t length = 0;
    const size_t all = strlen(text);
    for (size_t count = 0; length < all && count < max; count++) {
        length++;
        while (length < all && ((unsigned char)text[length] & 0xc0) == 0x80) length++;
    }
    return text_copy_length(text, length);
}

/* Status, severity and alarm's name, which AWS may leave out as attributes, in front of the summary that a person may
 * have written without them. */
static char *sms_line(const NoticeAlert *alert) {
    OWN(text) char *line = plain_line(alert);
    const bool is_named = strstr(line, alert->name) != NULL;
    return text_format("%s%s%s%s%s: %s", alert->is_firing ? "FIRING" : "RESOLVED", *alert->severity ? " " : "",
        alert->severity, is_named ? "" : " ", is_named ? "" : alert->name, line);
}

char *sns_sms(const Notice *notice) {
    if (notice->count == 0) return cut(notice->subject, SNS_SMS_MAX);
    OWN(text) char *line = sms_line(&notice->alerts[0]);
    const size_t more = notice->count + notice->truncated - 1;
    OWN(text) char *tail = more ? text_format(" (and %zu more)", more) : text_copy("");
    OWN(text) char *head = text_format("%s%s", notice->is_test ? "TEST " : "", line);
    OWN(text) char *room = cut(head, SNS_SMS_MAX - strlen(tail));
    return text_format("%s%s", room, tail);
}

/* The webhook's body with at most `alerts` alerts; with none also without what they have in common. New reference. */
static json_t *webhook_cut(const Notice *notice, size_t alerts) {
    json_t *copy = json_copy((json_t *)(uintptr_t)notice->webhook);
    if (alerts >= notice->count) return copy;
    json_t *some = json_array();
    const json_t *all = json_list(notice->webhook, "alerts");
    for (size_t i = 0; i < alerts; i++) json_array_append(some, json_array_get(all, i));
    json_object_set_new(copy, "alerts", some);
    json_object_set_new(
        copy, "truncatedAlerts", json_integer((json_int_t)(notice->truncated + notice->count - alerts)));
    if (alerts > 0) return copy;
    json_object_set_new(copy, "commonAnnotations", json_object());
    json_object_set_new(copy, "commonLabels", json_object());
    return copy;
}

static json_t *bodies(const Notice *notice, size_t alerts, bool is_sms_only) {
    OWN(text) char *sms = sns_sms(notice);
    json_t *message = json_pack("{s:o,s:o}", "default", json_safe(sms), "sms", json_safe(sms));
    if (is_sms_only) return message;
    OWN(buffer) Buffer plain = BUFFER((size_t)BODY_MAX);
    plain_write(notice, alerts, &plain);
    json_object_set_new(message, "email", json_safe(buffer_string(&plain)));
    OWN(json) json_t *webhook = webhook_cut(notice, alerts);
    OWN(text) char *text = json_write(webhook);
    static const char *const machines[] = {"http", "https", "lambda", "sqs"};
    for (size_t i = 0; i < COUNT_OF(machines); i++) json_object_set_new(message, machines[i], json_safe(text));
    return message;
}

char *sns_message(const Notice *notice, bool is_sms_only) {
    for (size_t alerts = notice->count;; alerts /= 2) { /* fewer alerts in full until it fits */
        OWN(json) json_t *message = bodies(notice, alerts, is_sms_only);
        OWN(text) char *text = json_write(message);
        if (strlen(text) <= SNS_MESSAGE_MAX - ATTRIBUTES_ROOM) return GIVE(text);
        if (alerts == 0) return NULL;
    }
}

/* --- the form --- */

static void put_encoded(Buffer *out, const char *text) {
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (isalnum(*p) || strchr("-_.~", *p))
            buffer_add(out, p, 1);
        else
            buffer_format(out, "%%%02X", *p);
    }
}

static void put_field(Buffer *out, const char *name, const char *value) {
    buffer_format(out, "&%s=", name);
    put_encoded(out, value);
}

static void put_attribute(Buffer *out, size_t number, const char *name, const char *value) {
    char key[80];
    snprintf(key, sizeof key, "MessageAttributes.entry.%zu.Name", number);
    put_field(out, key, name);
    snprintf(key, sizeof key, "MessageAttributes.entry.%zu.Value.DataType", number);
    put_field(out, key, "String");
    snprintf(key, sizeof key, "MessageAttributes.entry.%zu.Value.StringValue", number);
    put_field(out, key, value);
}

/* SNS refuses characters beyond the first 65,536 in an attribute, and empty ones. */
static char *attribute_value(const char *text) {
    Buffer out = BUFFER((size_t)ATTRIBUTE_MAX);
    for (const char *p = text; *p;) {
        const unsigned char first = (unsigned char)*p;
        size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
        length = strnlen(p, length);
        if (!(length == 4 || first < 0x20 ? buffer_text(&out, "?") : buffer_add(&out, p, length))) break;
        p += length;
    }
    if (out.used == 0) buffer_text(&out, "-");
    return buffer_take(&out);
}

static void put_attributes(Buffer *out, const Notice *notice) {
    const NoticeAlert *first = notice->count ? &notice->alerts[0] : NULL; /* the most severe one that fires */
    OWN(text) char *name = attribute_value(first ? first->name : "");
    OWN(text) char *severity = attribute_value(first ? first->severity : "");
    put_attribute(out, 1, "alertname", name);
    put_attribute(out, 2, "severity", severity);
    put_attribute(out, 3, "status", notice->is_firing ? "firing" : "resolved");
}

char *sns_body(const Notice *notice, const SnsTarget *target) {
    OWN(text) char *message = sns_message(notice, target->phone_number != NULL);
    OWN(text) char *subject = sns_subject(notice);
    if (!message) return NULL;
    Buffer out = BUFFER((size_t)BODY_MAX);
    buffer_text(&out, "Action=Publish&Version=2010-03-31");
    if (target->phone_number) {
        put_field(&out, "PhoneNumber", target->phone_number);
        put_attribute(&out, 1, "AWS.SNS.SMS.SMSType", "Transactional");
    } else {
        put_field(&out, "TopicArn", target->topic_arn);
        put_field(&out, "Subject", subject);
        put_attributes(&out, notice);
    }
    put_field(&out, "MessageStructure", "json");
    put_field(&out, "Message", message);
    if (target->group_id) {
        put_field(&out, "MessageGroupId", target->group_id);
        put_field(&out, "MessageDeduplicationId", notice->id);
    }
    if (!out.overflow) return buffer_take(&out);
    buffer_deinit(&out);
    return NULL;
}

char *sns_message_id(const char *xml) {
    static const char open[] = "<MessageId>";
    const char *id = strstr(xml, open);
    if (!id) return NULL;
    id += strlen(open);
    const size_t length = strcspn(id, "<");
    if (length > 100 || strncmp(id + length, "</MessageId>", 12) != 0 || !is_word(id, length, "-")) return NULL;
    return text_copy_length(id, length);
}
