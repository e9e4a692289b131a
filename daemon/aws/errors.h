/* What an AWS error means: code and message out of a body that may be anything, its class, and for a denied call which
 * action is missing where. Pure; any thread. Texts from AWS are chosen by others: cleaned and bounded here. */
#ifndef TOCSIN_AWS_ERRORS_H
#define TOCSIN_AWS_ERRORS_H

#include "aws/service.h"

enum { AWS_CODE_MAX = 128, AWS_MESSAGE_MAX = 1024, AWS_NAME_MAX = 256, AWS_ERROR_BODY_MAX = 65536 };

typedef struct AwsFailure {
    AwsClass class;
    long status;
    bool timed_out; /* costs more of the retry budget */
    char code[AWS_CODE_MAX]; /* `ThrottlingException`, without prefix and tail */
    char message[AWS_MESSAGE_MAX];
    char action[AWS_CODE_MAX], resource[AWS_NAME_MAX], reason[AWS_NAME_MAX]; /* AWS_DENIED, where the text says so */
    char request_id[AWS_CODE_MAX];
} AwsFailure;

typedef struct AwsErrorParts {
    AwsProtocol protocol;
    long status;
    const char *error_type, *query_error, *request_id; /* headers; "" where absent */
    const char *body;
    size_t body_length;
} AwsErrorParts;

void aws_failure_read(const AwsErrorParts *parts, AwsFailure *ret_failure);
/* The class of a clean code (with or without `Exception`), else of the status. `message` decides between a wrong clock
 * and a wrong signature. */
AwsClass aws_classify(const char *code, long status, const char *message);
/* A word for the ledger: the code where the table knows it, else the status; `text` holds AWS_CODE_MAX. Bounds the
 * labels that AWS could make. */
const char *aws_failure_word(const AwsFailure *failure, char *text);
/* One sentence for a person. `account` NULL: the base credentials. `text` holds AWS_MESSAGE_MAX. */
void aws_explain(const AwsFailure *failure, const char *account, const char *region, const char *operation, char *text);

#endif
