#include "aws/sts.h"

#include "aws/xml.h"
#include "base/guard.h"
#include "base/text.h"
#include "base/timetext.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sts_session_name(const char *host, char text[static STS_SESSION_MAX]) {
    snprintf(text, STS_SESSION_MAX, "tocsin-%s", host);
    for (char *p = text; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("_+=,.@-", *p)) *p = '-';
}

enum {
    FORM_MAX = 81920
}; /* an ARN has 2,048 characters at most, an external id 1,224, a token 20,000: thrice, coded */

typedef struct Form {
    char *text; /* guarded, FORM_MAX: tokens and external ids never lie elsewhere */
    size_t used;
} Form;

static void add_text(Form *form, const char *text) {
    const size_t length = strlen(text);
    if (length >= FORM_MAX - form->used) return; /* bounded where they are read */
    memcpy(form->text + form->used, text, length + 1);
    form->used += length;
}

static void add_value(Form *form, const char *name, const char *value) {
    add_text(form, "&");
    add_text(form, name);
    add_text(form, "=");
    for (; *value; value++) {
        char coded[4] = {*value};
        if (!isalnum((unsigned char)*value) && !strchr("-_.~", *value))
            snprintf(coded, sizeof coded, "%%%02X", (unsigned char)*value);
        add_text(form, coded);
    }
}

char *sts_assume_body(const StsRole *role) {
    Form form = {guard_calloc(1, FORM_MAX), 0};
    if (!form.text) abort();
    add_text(&form, role->web_token ? "Action=AssumeRoleWithWebIdentity" : "Action=AssumeRole");
    add_text(&form, "&Version=2011-06-15");
    add_value(&form, "RoleArn", role->role_arn);
    add_value(&form, "RoleSessionName", role->session);
    if (role->external_id) add_value(&form, "ExternalId", role->external_id);
    if (role->web_token) add_value(&form, "WebIdentityToken", role->web_token);
    if (role->duration_s) {
        char seconds[24];
        snprintf(seconds, sizeof seconds, "%lld", (long long)role->duration_s);
        add_value(&form, "DurationSeconds", seconds);
    }
    return form.text;
}

AwsKeys *sts_assume_read(const char *body, size_t length, const char *origin, int64_t now_ms, Error *err) {
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
    AwsKeys *keys = aws_keys_new(id, secret_new(secret, strlen(secret)), secret_new(token, strlen(token)), origin);
    keys->obtained_ms = now_ms;
    keys->expires_ms = expires_ms;
    return keys;
}

bool sts_identity_read(const char *body, size_t length, StsIdentity *ret_identity, Error *err) {
    OWN(xml) Xml *xml = xml_read(body, length, err);
    if (!xml) return false;
    const char *arn = xml_text(xml, "GetCallerIdentityResult/Arn");
    const char *account = xml_text(xml, "GetCallerIdentityResult/Account");
    const bool fine = arn && account && strlen(account) == 12 && strspn(account, "0123456789") == 12 &&
        strncmp(arn, "arn:aws", 7) == 0 && strlen(arn) < sizeof ret_identity->arn && !has_control(arn);
    if (!fine) return error_set(err, ERROR_REMOTE, "GetCallerIdentity's answer lacks the account or its ARN");
    memcpy(ret_identity->account, account, 13);
    memcpy(ret_identity->arn, arn, strlen(arn) + 1);
    return true;
}
