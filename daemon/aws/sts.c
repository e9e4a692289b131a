#include "aws/sts.h"

#include "aws/xml.h"
#include "base/alloc.h"
#include "base/timetext.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

void sts_session_name(const char *host, char text[static STS_SESSION_MAX]) {
    snprintf(text, STS_SESSION_MAX, "tocsin-%s", host);
    for (char *p = text; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("_+=,.@-", *p)) *p = '-';
}

static void add_value(Buffer *form, const char *name, const char *value) {
    buffer_format(form, "&%s=", name);
    for (; *value; value++) {
        if (isalnum((unsigned char)*value) || strchr("-_.~", *value))
            buffer_add(form, value, 1);
        else
            buffer_format(form, "%%%02X", (unsigned char)*value);
    }
}

char *sts_assume_body(const char *role_arn, const char *session, const char *external_id) {
    Buffer form = BUFFER(16384); /* an ARN has 2,048 characters at most, an external id 1,224 */
    buffer_text(&form, "Action=AssumeRole&Version=2011-06-15");
    add_value(&form, "RoleArn", role_arn);
    add_value(&form, "RoleSessionName", session);
    if (external_id) add_value(&form, "ExternalId", external_id);
    return buffer_take(&form);
}

AwsKeys *sts_assume_read(const char *body, size_t length, const char *role_arn, int64_t now_ms, Error *err) {
    OWN(xml) Xml *xml = xml_read(body, length, err);
    if (!xml) return NULL;
    const char *id = xml_text(xml, "Credentials/AccessKeyId"), *secret = xml_text(xml, "Credentials/SecretAccessKey");
    const char *token = xml_text(xml, "Credentials/SessionToken"), *end = xml_text(xml, "Credentials/Expiration");
    int64_t expires_ms;
    if (!id || !*id || !secret || !*secret || !token || !*token || !end || !time_parse(end, &expires_ms))
        return error_set(err, ERROR_REMOTE, "AssumeRole's answer lacks a key, the token or their end"), NULL;
    for (const char *p = id; *p; p++)
        if (!isalnum((unsigned char)*p))
            return error_set(err, ERROR_REMOTE, "AssumeRole's answer has no access key id"), NULL;
    AwsKeys *keys = aws_keys_new(id, secret_new(secret, strlen(secret)), secret_new(token, strlen(token)), role_arn);
    keys->obtained_ms = now_ms;
    keys->expires_ms = expires_ms;
    return keys;
}
