#include "aws/errors.h"

#include "aws/xml.h"
#include "base/json.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* By code without `Exception`. What no row names is classed by its status. */
static const struct CodeClass {
    AwsClass class;
    const char *codes; /* by blanks */
} classes[] = {
    {AWS_THROTTLED,
        " Throttling Throttled RequestThrottled TooManyRequests RequestLimitExceeded BandwidthLimitExceeded SlowDown"
        " ProvisionedThroughputExceeded EC2Throttled PriorRequestNotComplete TransactionInProgress LimitExceeded"
        " KMSThrottling "},
    {AWS_TRANSIENT,
        " RequestTimeout InternalFailure InternalError InternalServerError InternalServiceFault InternalServiceError"
        " InternalService ServiceUnavailable Service IDPCommunicationError BadDigest "},
    {AWS_EXPIRED, " ExpiredToken RequestExpired "},
    {AWS_BAD_KEYS,
        " InvalidClientTokenId UnrecognizedClient AuthFailure InvalidAccessKeyId InvalidToken InvalidSecurity "},
    {AWS_CLOCK, " RequestTimeTooSkewed "},
    {AWS_SIGNATURE, " InvalidSignature SignatureDoesNotMatch "},
    {AWS_OUR_BUG, " IncompleteSignature MissingAuthenticationToken InvalidAction UnknownOperation Serialization "},
    {AWS_DENIED, " AccessDenied UnauthorizedOperation AuthorizationError NotAuthorized Forbidden KMSAccessDenied "},
    {AWS_REGION_OFF, " RegionDisabled OptInRequired SubscriptionRequired "},
    {AWS_VALIDATION,
        " ValidationError Validation InvalidRequest MissingParameter InvalidTimeRange InvalidInput"
        " InvalidParameter InvalidParameterValue InvalidParameterCombination MissingRequiredParameter "},
    {AWS_PAGING, " InvalidNextToken PaginationTokenExpired "},
    {AWS_NOT_FOUND,
        " NotFound ResourceNotFound TrailNotFound NoSuchKey NoSuchBucket QueueDoesNotExist"
        " AWS.SimpleQueueService.NonExistentQueue AWSOrganizationsNotInUse "},
};

static const struct ClassWord {
    const char *word, *meaning;
} words[] = {
    [AWS_FINE] = {"fine", ""},
    [AWS_THROTTLED] = {"throttled", "AWS throttles these calls; they are asked again later"},
    [AWS_TRANSIENT] = {"transient", "AWS has a fault of its own; the call is asked again later"},
    [AWS_EXPIRED] = {"expired", "the credentials have expired (renew them where they come from)"},
    [AWS_BAD_KEYS] = {"bad_keys",
        "AWS does not know these credentials (check the access key; a region that is not enabled answers so, too)"},
    [AWS_CLOCK] = {"clock", "this machine's clock is too far from AWS's (synchronise it)"},
    [AWS_SIGNATURE] = {"signature",
        "the signature does not match (the secret key does not belong to the access key id)"},
    [AWS_OUR_BUG] = {"our_bug", "AWS does not understand the request (report this as a fault of Tocsin)"},
    [AWS_DENIED] = {"denied", ""}, /* made by explain_denied() */
    [AWS_REGION_OFF] = {"region_off",
        "the region or the service is not enabled for this account (enable it, or take it out of the configuration)"},
    [AWS_VALIDATION] = {"validation", "AWS refused the request as invalid"},
    [AWS_PAGING] = {"paging", "AWS no longer takes the token of the next page"},
    [AWS_NOT_FOUND] = {"not_found", "what was asked for does not exist"},
    [AWS_OTHER] = {"other", "AWS answered with an error"},
    [AWS_NO_CREDENTIALS] = {"no_credentials", "no credentials"},
    [AWS_UNREACHABLE] = {"unreachable", "AWS cannot be reached"},
    [AWS_TOO_LONG] = {"too_long", "the answer is longer than is read"},
    [AWS_CANCELLED] = {"cancelled", "cancelled"},
};

const char *aws_class_word(AwsClass class) { return words[class].word; }

/* --- classes --- */

static bool has_word(const char *list, const char *word, size_t length) {
    for (const char *at = list; (at = strchr(at, ' ')) && at[1]; at++)
        if (strncmp(at + 1, word, length) == 0 && at[1 + length] == ' ') return true;
    return false;
}

static bool class_of_code(const char *code, AwsClass *ret_class) {
    size_t length = strlen(code);
    static const char tail[] = "Exception";
    if (length > sizeof tail - 1 && strcmp(code + length - (sizeof tail - 1), tail) == 0) length -= sizeof tail - 1;
    if (!length || memchr(code, ' ', length)) return false;
    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        if (!has_word(classes[i].codes, code, length)) continue;
        *ret_class = classes[i].class;
        return true;
    }
    if (strncmp(code, "InvalidParameter", 16) != 0) return false;
    *ret_class = AWS_VALIDATION;
    return true;
}

AwsClass aws_classify(const char *code, long status, const char *message) {
    AwsClass class = AWS_OTHER;
    if (strstr(message, "security token included in the request is invalid")) return AWS_BAD_KEYS;
    if (class_of_code(code, &class)) {
        const bool late = strstr(message, "Signature expired") || strstr(message, "not yet current");
        return class == AWS_SIGNATURE && late ? AWS_CLOCK : class;
    }
    if (status == 429 || status == 509) return AWS_THROTTLED;
    if (status == 408 || status >= 500) return AWS_TRANSIENT;
    return AWS_OTHER;
}

const char *aws_failure_word(const AwsFailure *failure, char *text) {
    AwsClass class;
    if (class_of_code(failure->code, &class)) return failure->code;
    if (!failure->status) return aws_class_word(failure->class);
    snprintf(text, AWS_CODE_MAX, "%ld", failure->status);
    return text;
}

/* --- reading --- */

/* Copies what is text of it; control characters become blanks. */
static void clean(char *into, size_t room, const char *text, size_t length) {
    length = utf8_cut(text, length, room - 1);
    for (size_t i = 0; i < length; i++) into[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i];
    into[length] = 0;
    if (!utf8_ok(into, length))
        for (char *p = into; *p; p++)
            if ((unsigned char)*p >= 0x80) *p = '?';
}

static void clean_text(char *into, size_t room, const char *text) { clean(into, room, text, strlen(text)); }

/* `com.amazonaws.x#CodeException:http://…`: what stands before the first colon and after the last hash. */
static void clean_code(AwsFailure *failure, const char *code) {
    size_t length = strcspn(code, ":;");
    for (const char *hash; (hash = memchr(code, '#', length));) {
        length -= (size_t)(hash + 1 - code);
        code = hash + 1;
    }
    clean(failure->code, sizeof failure->code, code, length);
}

static void read_json(const AwsErrorParts *parts, AwsFailure *failure) {
    OWN(json) json_t *body = json_read_foreign(parts->body, parts->body_length, NULL);
    const char *code = json_text(body, "__type"), *message = json_text(body, "message");
    if (!code) code = json_text(body, "code");
    if (!code) code = json_text(body, "Code");
    if (!message) message = json_text(body, "Message");
    if (*parts->error_type) code = parts->error_type;
    if (!code && *parts->query_error) code = parts->query_error;
    if (code) clean_code(failure, code);
    if (message) clean_text(failure->message, sizeof failure->message, message);
}

static void read_xml(const AwsErrorParts *parts, AwsFailure *failure) {
    OWN(xml) Xml *body = xml_read(parts->body, parts->body_length, NULL);
    const char *code = xml_text(body, "Error/Code"), *message = xml_text(body, "Error/Message");
    const char *request = xml_text(body, "RequestId");
    if (!request) request = xml_text(body, "RequestID");
    if (code) clean_code(failure, code);
    if (message) clean_text(failure->message, sizeof failure->message, message);
    if (request && !*failure->request_id) clean_text(failure->request_id, sizeof failure->request_id, request);
}

/* The text from `from` up to the first of the ends, or the whole. */
static void clean_until(char *into, size_t room, const char *from, const char *const *ends) {
    size_t length = strlen(from);
    for (; *ends; ends++) {
        const char *end = strstr(from, *ends);
        if (end && (size_t)(end - from) < length) length = (size_t)(end - from);
    }
    while (length && strchr(" .,:", from[length - 1])) length--;
    clean(into, room, from, length);
}

static bool is_action(const char *word, size_t length) {
    const char *colon = memchr(word, ':', length);
    if (!colon || colon == word || colon + 1 == word + length) return false;
    for (const char *p = word; p < word + length; p++)
        if (!isalnum((unsigned char)*p) && !strchr("-:*", *p)) return false;
    return true;
}

/* Source: IAM User Guide, "Troubleshoot access denied error messages". */
static void read_denied(AwsFailure *failure) {
    static const char *const resource_ends[] = {" because", " with", NULL};
    static const char *const reason_ends[] = {" (", ". ", " arn:", "http", NULL};
    const char *at = strcasestr(failure->message, "authorized to perform");
    if (at) {
        at += strlen("authorized to perform");
        at += strspn(at, ": ");
        size_t length = strcspn(at, " ");
        while (length && strchr(".,", at[length - 1])) length--;
        if (is_action(at, length)) clean(failure->action, sizeof failure->action, at, length);
    }
    const char *resource = strstr(failure->message, "on resource: ");
    if (resource) clean_until(failure->resource, sizeof failure->resource, resource + 13, resource_ends);
    const char *missing = strstr(failure->message, "because no "),
               *forbidden = strstr(failure->message, "with an explicit deny");
    if (missing)
        clean_until(failure->reason, sizeof failure->reason, missing + 8, reason_ends);
    else if (forbidden)
        clean_until(failure->reason, sizeof failure->reason, forbidden + 5, reason_ends);
    char *the = strstr(failure->reason, " allows the ");
    if (the) memcpy(the, " allows it", sizeof " allows it"); /* the action is named beside it */
    char *encoded = strstr(failure->message, " Encoded authorization failure message");
    if (encoded) *encoded = 0;
}

static bool is_html(const AwsErrorParts *parts) {
    size_t i = 0;
    while (i < parts->body_length && isspace((unsigned char)parts->body[i])) i++;
    const size_t left = parts->body_length - i;
    return (left >= 5 && strncasecmp(parts->body + i, "<html", 5) == 0) ||
        (left >= 9 && strncasecmp(parts->body + i, "<!doctype", 9) == 0);
}

void aws_failure_read(const AwsErrorParts *parts, AwsFailure *ret_failure) {
    *ret_failure = (AwsFailure){.status = parts->status};
    clean_text(ret_failure->request_id, sizeof ret_failure->request_id, parts->request_id);
    if (is_html(parts)) { /* a proxy or load balancer answered, not the service */
        ret_failure->class = AWS_TRANSIENT;
        return;
    }
    const bool believable = parts->body_length && parts->body_length <= AWS_ERROR_BODY_MAX; /* an error is short */
    if (parts->protocol != AWS_QUERY)
        read_json(&(AwsErrorParts){.error_type = parts->error_type,
                      .query_error = parts->query_error,
                      .body = believable ? parts->body : "",
                      .body_length = believable ? parts->body_length : 0},
            ret_failure);
    else if (believable)
        read_xml(parts, ret_failure);
    ret_failure->class = aws_classify(ret_failure->code, parts->status, ret_failure->message);
    if (ret_failure->class == AWS_DENIED) read_denied(ret_failure);
}

/* --- words for a person --- */

static void explain_denied(const AwsFailure *failure, char *text, size_t room) {
    const bool assume = strncmp(failure->action, "sts:AssumeRole", 14) == 0; /* …WithWebIdentity, too */
    const bool forbidden = strncmp(failure->reason, "an explicit deny", 16) == 0;
    const char *on = *failure->resource ? failure->resource : "*";
    int used = snprintf(text, room, "not allowed to call %s on %s", failure->action, on);
    if (*failure->reason && (size_t)used < room)
        used += snprintf(text + used, room - (size_t)used, " because %s%s", forbidden ? "of " : "", failure->reason);
    if ((size_t)used >= room) return;
    if (assume)
        snprintf(text + used, room - (size_t)used,
            " (check that the role exists, that its trust policy allows us and our external_id, and that our own "
            "policy has sts:AssumeRole)");
    else if (forbidden)
        snprintf(text + used, room - (size_t)used, " (whoever keeps that policy must lift it)");
    else
        snprintf(text + used, room - (size_t)used, " (add %s to the policy of the role or user)", failure->action);
}

void aws_explain(
    const AwsFailure *failure, const char *account, const char *region, const char *operation, char *text) {
    char what[AWS_MESSAGE_MAX - 256] = "", where[200], said[400] = "";
    text[0] = 0;
    if (failure->class == AWS_FINE) return;
    snprintf(where, sizeof where, "%s%.100s (%.40s)", account ? "account " : "the base credentials",
        account ? account : "", region);
    if (failure->class == AWS_DENIED) {
        explain_denied(failure, what, sizeof what);
    } else if (failure->class == AWS_NO_CREDENTIALS || failure->class == AWS_UNREACHABLE ||
        failure->class == AWS_TOO_LONG) {
        snprintf(what, sizeof what, "%s: %.*s", words[failure->class].meaning, 600, failure->message);
    } else {
        if (*failure->code || *failure->message)
            snprintf(said, sizeof said, ": %s%s%.250s", failure->code, *failure->code && *failure->message ? ": " : "",
                failure->message);
        else if (failure->status)
            snprintf(said, sizeof said, ": status %ld", failure->status);
        snprintf(what, sizeof what, "%s: %s%s", operation, words[failure->class].meaning, said);
    }
    snprintf(text, AWS_MESSAGE_MAX, "%s: %s", where, what);
    text[utf8_cut(text, strlen(text), AWS_MESSAGE_MAX - 1)] = 0;
}
