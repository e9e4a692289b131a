/* An error body of either protocol, AssumeRole's answer, a header line and a Date. Holds: every text is bounded, ended
 * and free of control characters, whatever came. The first byte is the status. */
#include "fuzz.h"

#include "aws/errors.h"
#include "aws/sts.h"
#include "base/timetext.h"
#include "net/answer.h"

#include <stdlib.h>
#include <string.h>

static void check_text(const char *text, size_t room) {
    const size_t length = strnlen(text, room);
    if (length == room) abort();
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) abort();
}

static void read_as(AwsProtocol protocol, long status, const char *body, size_t length) {
    AwsFailure failure;
    char text[AWS_MESSAGE_MAX], word[AWS_CODE_MAX];
    aws_failure_read(&(AwsErrorParts){.protocol = protocol,
                         .status = status,
                         .error_type = "",
                         .query_error = "",
                         .request_id = "",
                         .body = body,
                         .body_length = length},
        &failure);
    check_text(failure.code, sizeof failure.code);
    check_text(failure.message, sizeof failure.message);
    check_text(failure.action, sizeof failure.action);
    check_text(failure.resource, sizeof failure.resource);
    check_text(failure.reason, sizeof failure.reason);
    check_text(failure.request_id, sizeof failure.request_id);
    aws_explain(&failure, "a", "eu-west-1", "Op", text);
    check_text(text, sizeof text);
    if (strlen(aws_failure_word(&failure, word)) >= AWS_CODE_MAX) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    AnswerHeaders headers = {0};
    Error err = {0};
    int64_t at_ms;
    if (size == 0) return 0;
    char *body = malloc(size); /* exactly as long as it is, and a zero byte where the status was */
    if (!body) abort();
    memcpy(body, data + 1, size - 1);
    body[size - 1] = 0;
    read_as(AWS_JSON_1_0, 300 + data[0], body, size - 1);
    read_as(AWS_QUERY, 300 + data[0], body, size - 1);
    AwsKeys *keys = sts_assume_read(body, size - 1, "role", 0, &err);
    if (!keys && err.kind == ERROR_NONE) abort();
    aws_keys_free(keys);
    answer_headers_line(&headers, body, size - 1);
    const int64_t wait_ms = retry_after_ms(&headers, 0);
    if (wait_ms < 0 || wait_ms > RETRY_AFTER_MAX_MS) abort();
    answer_headers_deinit(&headers);
    time_parse_http(body, &at_ms);
    free(body);
    return 0;
}
