#include "aws/keys_json.h"

#include "base/json.h"
#include "base/text.h"
#include "base/timetext.h"

#include <ctype.h>
#include <string.h>

enum { KEY_ID_MAX = 128 };

/* What is named differently by those who hand keys over. */
static const struct Form {
    const char *token, *what;
    bool ends; /* token and end must be there */
} forms[] = {
    [KEYS_OF_PROCESS] = {"SessionToken", "its output", false},
    [KEYS_OF_CONTAINER] = {"Token", "the answer", true},
    [KEYS_OF_INSTANCE] = {"Token", "the answer", true},
};

static bool wrong(Error *err, const struct Form *form, const char *why) {
    return error_set(err, ERROR_REMOTE, "%s %s", form->what, why);
}

/* An id stands in a header and in messages: letters and digits, of ids of other makers also _ . and -. */
static bool id_ok(const char *id) {
    if (!id || !*id || strlen(id) > KEY_ID_MAX) return false;
    for (; *id; id++)
        if (!isalnum((unsigned char)*id) && !strchr("_.-", *id)) return false;
    return true;
}

static bool value_ok(const char *value) { return value && *value && !has_control(value); }

/* A refusal that comes with status 200: {"Code": "AssumeRoleUnauthorizedAccess", "Message": "…"}. */
static bool code_ok(const json_t *object, Error *err) {
    const char *code = json_text(object, "Code");
    if (!code || strcmp(code, "Success") == 0) return true;
    for (const char *p = code; *p; p++)
        if (!isalnum((unsigned char)*p)) return error_set(err, ERROR_REMOTE, "the answer has an error without a name");
    return error_set(
        err, ERROR_REMOTE, "it says %.80s (does the role trust ec2.amazonaws.com, and is it still there?)", code);
}

static bool version_ok(const json_t *object, Error *err) {
    int64_t version;
    if (!json_whole(object, "Version", &version)) return wrong(err, &forms[KEYS_OF_PROCESS], "has no Version");
    if (version == 1) return true;
    return error_set(err, ERROR_REMOTE, "its output has Version %lld, and only 1 is known", (long long)version);
}

static bool end_ok(const json_t *object, const struct Form *form, int64_t *ret_expires_ms, Error *err) {
    const json_t *given = json_object_get(object, "Expiration");
    const char *end = json_text(object, "Expiration");
    *ret_expires_ms = 0;
    if ((!given || json_is_null(given)) && !form->ends) return true;
    if (end && time_parse(end, ret_expires_ms)) return true;
    return wrong(err, form, given ? "has an Expiration that is no time" : "has no Expiration");
}

AwsKeys *keys_json_read(KeysForm as, const char *text, size_t length, const char *origin, int64_t now_ms, Error *err) {
    const struct Form *form = &forms[as];
    OWN(json) json_t *object = length <= KEYS_JSON_MAX ? json_read(text, length, NULL) : NULL;
    int64_t expires_ms;
    if (!json_is_object(object)) return wrong(err, form, "is no JSON object"), NULL;
    if (as == KEYS_OF_INSTANCE && !code_ok(object, err)) return NULL;
    if (as == KEYS_OF_PROCESS && !version_ok(object, err)) return NULL;
    const char *id = json_text(object, "AccessKeyId"), *secret = json_text(object, "SecretAccessKey");
    const char *token = json_text(object, form->token);
    if (!id_ok(id)) return wrong(err, form, "has no AccessKeyId"), NULL;
    if (!value_ok(secret)) return wrong(err, form, "has no SecretAccessKey"), NULL;
    if (token && *token && has_control(token)) return wrong(err, form, "has a token with a control character"), NULL;
    if (form->ends && (!token || !*token)) return wrong(err, form, "has no Token"), NULL;
    if (!end_ok(object, form, &expires_ms, err)) return NULL;
    AwsKeys *keys = aws_keys_new(
        id, secret_new(secret, strlen(secret)), token && *token ? secret_new(token, strlen(token)) : NULL, origin);
    keys->obtained_ms = now_ms;
    keys->expires_ms = expires_ms;
    return keys;
}
