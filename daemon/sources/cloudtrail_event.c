#include "sources/cloudtrail_event.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/escape.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timetext.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { KEY_SHOWN = 4, BRIEF_WHAT_MAX = 64, BRIEF_RESOURCE_MAX = 60, BRIEF_WHERE_MAX = 45, BRIEF_ERROR_MAX = 60 };

/* --- parsing --- */

json_t *cloudtrail_event_parse(const char *text) {
    json_t *event = json_read_foreign(text, strlen(text), NULL);
    if (json_is_object(event)) return event;
    json_decref(event);
    return NULL;
}

/* --- single members --- */

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_text(object, key);
    return text ? text : "";
}

static const char *cut(Arena *arena, const char *text, size_t max) {
    return arena_text_length(arena, text, utf8_cut(text, strlen(text), max));
}

static bool says(const json_t *object, const char *key, const char *word) {
    return strcasecmp(text_of(object, key), word) == 0;
}

static const char *addendum_id(const json_t *event, const char *reason) {
    const json_t *addendum = json_map(event, "addendum");
    return says(addendum, "reason", reason) ? text_of(addendum, "originalEventID") : "";
}

const char *cloudtrail_event_corrects(const json_t *event) {
    const char *id = addendum_id(event, "UPDATED_DATA");
    return *id && strlen(id) <= EVENT_NAME_MAX ? id : NULL;
}

bool cloudtrail_event_is_late(const json_t *event) {
    const json_t *addendum = json_map(event, "addendum");
    return says(addendum, "reason", "DELIVERY_DELAY") || says(addendum, "reason", "SERVICE_OUTAGE");
}

/* Adds a text that others chose, escaped, at most `max` bytes of it. */
static void add_cut(Buffer *out, const char *text, size_t max) {
    OWN(text) char *head = text_copy_length(text, utf8_cut(text, strlen(text), max));
    Buffer escaped = BUFFER(max);
    escape_control(&escaped, head);
    buffer_text(out, buffer_string(&escaped));
    buffer_deinit(&escaped);
}

/* --- who --- */

static const char *behind_last(const char *text, char mark) {
    const char *last = strrchr(text, mark);
    return last ? last + 1 : text;
}

static const char *first_of(const char *a, const char *b) { return *a ? a : b; }

static const json_t *issuer_of(const json_t *identity) {
    return json_map(json_map(identity, "sessionContext"), "sessionIssuer");
}

/* The session's name: the end of arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION, or of AROA…:SESSION. */
static const char *session_of(const json_t *identity) {
    const char *arn = text_of(identity, "arn"), *principal = text_of(identity, "principalId");
    if (strstr(arn, ":assumed-role/") || strstr(arn, ":federated-user/")) return behind_last(arn, '/');
    return strchr(principal, ':') ? behind_last(principal, ':') : "";
}

/* The role's name: of the session's issuer, or the middle of the session's ARN. */
static const char *role_of(Arena *arena, const json_t *identity) {
    const json_t *issuer = issuer_of(identity);
    const char *name = first_of(text_of(issuer, "userName"), text_of(issuer, "arn"));
    if (*name) return behind_last(name, '/');
    const char *role = strstr(text_of(identity, "arn"), ":assumed-role/");
    if (!role) return behind_last(text_of(identity, "arn"), '/');
    role += strlen(":assumed-role/");
    return arena_text_length(arena, role, strcspn(role, "/"));
}

static void add_named(Buffer *out, const char *kind, const char *name) {
    buffer_text(out, kind);
    if (*kind && *name) buffer_text(out, " ");
    add_cut(out, name, 64);
}

static void add_role(Arena *arena, Buffer *out, const json_t *identity) {
    const char *session = session_of(identity);
    add_named(out, "role", role_of(arena, identity));
    if (*session) add_named(out, " as", session);
}

static const char *any_name(const json_t *identity) {
    const char *name = first_of(text_of(identity, "userName"), behind_last(text_of(identity, "arn"), '/'));
    name = first_of(name, text_of(identity, "principalId"));
    return first_of(name, text_of(identity, "accountId"));
}

static void add_identity(Arena *arena, Buffer *out, const json_t *identity) {
    static const struct {
        const char *type, *word;
    } plain[] = {{"IAMUser", "user"}, {"FederatedUser", "federated user"}, {"SAMLUser", "SAML user"},
        {"WebIdentityUser", "web identity"}, {"IdentityCenterUser", "Identity Center user"},
        {"Directory", "directory user"}, {"AWSAccount", "account"}};
    const char *type = text_of(identity, "type"), *invoked_by = text_of(identity, "invokedBy");
    if (strcmp(type, "Root") == 0) return (void)buffer_text(out, "root");
    if (strcmp(type, "AssumedRole") == 0 || strcmp(type, "Role") == 0) return add_role(arena, out, identity);
    if (strcmp(type, "AWSService") == 0) return add_named(out, *invoked_by ? "" : "an AWS service", invoked_by);
    for (size_t i = 0; i < COUNT_OF(plain); i++)
        if (strcmp(type, plain[i].type) == 0) return add_named(out, plain[i].word, any_name(identity));
    const char *name = first_of(any_name(identity), invoked_by);
    add_named(out, "", *name ? name : "someone");
}

/* "true" and "false" of a session, "Yes" and "No" of a sign-in; NULL where neither is said. */
static const char *mfa_words(const json_t *event, const json_t *identity) {
    const json_t *session = json_map(json_map(identity, "sessionContext"), "attributes");
    const json_t *more = json_map(event, "additionalEventData");
    if (says(session, "mfaAuthenticated", "true") || says(more, "MFAUsed", "yes")) return "MFA";
    if (says(session, "mfaAuthenticated", "false") || says(more, "MFAUsed", "no")) return "no MFA";
    return NULL;
}

static void add_credentials(Buffer *out, const json_t *event, const json_t *identity) {
    const char *key = text_of(identity, "accessKeyId"), *mfa = mfa_words(event, identity);
    const size_t length = strlen(key);
    const bool shown = length > KEY_SHOWN && utf8_ok(key, length);
    if (!shown && !mfa) return;
    buffer_text(out, " (");
    if (shown) buffer_text(out, "key ...");
    if (shown) add_cut(out, key + length - KEY_SHOWN, KEY_SHOWN);
    if (mfa) buffer_format(out, "%s%s", shown ? ", " : "", mfa);
    buffer_text(out, ")");
}

static const char *who_of(Arena *arena, const json_t *event) {
    const json_t *identity = json_map(event, "userIdentity");
    const char *invoked_by = text_of(identity, "invokedBy");
    Buffer out = BUFFER(4 * EVENT_WHO_MAX);
    add_identity(arena, &out, identity);
    if (*invoked_by && !strstr(buffer_string(&out), invoked_by)) add_named(&out, " through", invoked_by);
    add_credentials(&out, event, identity);
    const char *who = cut(arena, buffer_string(&out), EVENT_WHO_MAX);
    buffer_deinit(&out);
    return who;
}

/* --- where from, and with which result --- */

static const char *where_of(Arena *arena, const json_t *event) {
    const char *address = text_of(event, "sourceIPAddress"), *agent = text_of(event, "userAgent");
    Buffer out = BUFFER(4 * EVENT_WHERE_MAX);
    add_cut(&out, address, 64);
    if (*agent && strcmp(agent, address) != 0) {
        buffer_text(&out, *address ? ", " : "");
        add_cut(&out, agent, 90);
    }
    const char *where = cut(arena, buffer_string(&out), EVENT_WHERE_MAX);
    buffer_deinit(&out);
    return where;
}

/* Some services say it elsewhere: a sign-in in its answer, others in errorMessage alone. */
static const char *error_of(Arena *arena, const json_t *event) {
    const char *code = first_of(text_of(event, "errorCode"), text_of(event, "errorMessage"));
    if (!*code && says(json_map(event, "responseElements"), "ConsoleLogin", "Failure")) code = "Failure";
    return cut(arena, code, EVENT_ERROR_MAX);
}

/* --- resources --- */

typedef struct Found {
    Arena *arena;
    const char **texts;
    size_t count, looked_at;
} Found;

static bool ends_in(const char *key, const char *end) {
    const size_t length = strlen(key), tail = strlen(end);
    if (length < tail) return false;
    return length == tail ? strcasecmp(key, end) == 0 : strcmp(key + length - tail, end) == 0;
}

/* bucketName, instanceId, topicArn, resourceARN, subnetIds, dBInstanceIdentifier; `name` and `arn` by themselves. */
static bool names_one(const char *key) {
    static const char *const ends[] = {
        "Name", "Names", "Id", "Ids", "ID", "Arn", "Arns", "ARN", "ARNs", "Identifier", "Identifiers"};
    static const char *const others[] = {"accountId", "principalId", "ownerId", "requestId", "accessKeyId",
        "reservationId", "x-amz-id", "clientRequestToken", "sessionName", "roleSessionName", "hostName", "Host"};
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (strcasecmp(key, others[i]) == 0) return false;
    for (size_t i = 0; i < COUNT_OF(ends); i++)
        if (ends_in(key, ends[i])) return true;
    return false;
}

static void found_add(Found *found, const char *text) {
    if (!*text || strlen(text) > EVENT_RESOURCE_MAX || found->count == EVENT_RESOURCES_MAX) return;
    for (size_t i = 0; i < found->count; i++)
        if (strcmp(found->texts[i], text) == 0) return;
    found->texts[found->count++] = arena_text(found->arena, text);
}

static void find_names(Found *found, const json_t *value, const char *key, size_t depth) {
    const char *name;
    json_t *inner;
    size_t i;
    if (depth > EVENT_WALK_DEPTH || found->looked_at++ > EVENT_WALK_VALUES) return;
    if (json_is_string(value) && names_one(key)) found_add(found, json_string_value(value));
    json_array_foreach(value, i, inner) find_names(found, inner, key, depth + 1);
    json_object_foreach((json_t *)(uintptr_t)value, name, inner) find_names(found, inner, name, depth + 1);
}

static void find_listed(Found *found, const json_t *event) {
    size_t i;
    json_t *resource;
    json_array_foreach(json_list(event, "resources"), i, resource) {
        if (i > EVENT_WALK_VALUES) return;
        found_add(found, text_of(resource, "ARN"));
        found_add(found, text_of(resource, "arn"));
        found_add(found, text_of(resource, "resourceName"));
    }
}

/* What was asked for comes first: it is what the person named. */
static void resources_of(Arena *arena, const json_t *event, ReadEvent *ret) {
    Found found = {.arena = arena, .texts = arena_alloc(arena, EVENT_RESOURCES_MAX, sizeof *found.texts)};
    find_names(&found, json_map(event, "requestParameters"), "", 0);
    find_listed(&found, event);
    found.looked_at = 0;
    find_names(&found, json_map(event, "responseElements"), "", 0);
    ret->resources = found.texts;
    ret->resource_count = found.count;
}

/* --- the sentence --- */

/* arn:aws:cloudtrail:eu-west-1:1:trail/main -> trail/main: the rest stands elsewhere in the sentence. */
static const char *short_resource(const char *text) {
    const char *at = text;
    if (strncmp(text, "arn:", 4) != 0) return text;
    for (int i = 0; i < 5; i++) {
        at = strchr(at, ':');
        if (!at) return text;
        at++;
    }
    return *at ? at : text;
}

/* user ann (key ...WXYZ, MFA) called cloudtrail:StopLogging on main from 203.0.113.5 in eu-west-1: AccessDenied */
static const char *brief_of(Arena *arena, const json_t *event, const ReadEvent *read) {
    Buffer out = BUFFER(4 * EVENT_BRIEF_MAX), result = BUFFER(EVENT_BRIEF_MAX);
    const char *address = text_of(event, "sourceIPAddress");
    add_cut(&out, read->who, EVENT_WHO_MAX);
    buffer_format(&out, " called %.*s%s", (int)strcspn(read->service, "."), read->service, *read->service ? ":" : "");
    add_cut(&out, *read->name ? read->name : "something", BRIEF_WHAT_MAX);
    if (read->resource_count) buffer_text(&out, " on ");
    if (read->resource_count) add_cut(&out, short_resource(read->resources[0]), BRIEF_RESOURCE_MAX);
    if (*address) buffer_text(&out, " from ");
    add_cut(&out, address, BRIEF_WHERE_MAX);
    if (*read->region) buffer_format(&out, " in %s", read->region);
    if (*read->error) buffer_text(&result, ": ");
    add_cut(&result, read->error, BRIEF_ERROR_MAX);
    OWN(text) char *safe = buffer_take(&out); /* service and region are as they came */
    Buffer escaped = BUFFER(EVENT_BRIEF_MAX - result.used);
    escape_control(&escaped, safe);
    const char *brief = arena_format(arena, "%s%s", buffer_string(&escaped), buffer_string(&result));
    buffer_deinit(&escaped);
    buffer_deinit(&result);
    return brief;
}

/* --- all of it --- */

static bool is_read_only(const json_t *event, const char *name) {
    static const char *const reads[] = {"Get", "List", "Describe", "Head", "Lookup", "BatchGet"};
    const json_t *said = json_object_get(event, "readOnly");
    if (json_is_boolean(said)) return json_is_true(said);
    if (json_is_string(said)) return strcasecmp(json_string_value(said), "true") == 0;
    for (size_t i = 0; i < COUNT_OF(reads); i++) /* event versions before 1.06 do not say */
        if (strncmp(name, reads[i], strlen(reads[i])) == 0) return true;
    return false;
}

void cloudtrail_event_read(Arena *arena, const json_t *event, ReadEvent *ret) {
    const char *id = text_of(event, "eventID");
    int64_t time_ms = 0;
    *ret = (ReadEvent){.id = strlen(id) <= EVENT_NAME_MAX ? arena_text(arena, id) : "",
        .name = cut(arena, text_of(event, "eventName"), EVENT_NAME_MAX),
        .service = cut(arena, text_of(event, "eventSource"), EVENT_NAME_MAX),
        .region = cut(arena, text_of(event, "awsRegion"), EVENT_NAME_MAX)};
    if (time_parse(text_of(event, "eventTime"), &time_ms) && time_ms > 0) ret->time_ms = time_ms;
    ret->is_read_only = is_read_only(event, ret->name);
    ret->who = who_of(arena, event);
    ret->where = where_of(arena, event);
    ret->error = error_of(arena, event);
    resources_of(arena, event, ret);
    ret->brief = brief_of(arena, event, ret);
}
