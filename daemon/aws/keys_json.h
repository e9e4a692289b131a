/* Keys out of the JSON in which processes, containers and EC2 instances hand them over. Pure; any thread. Nothing of
 * the text gets into an error: it may hold a secret wherever it is wrong. Sources: AWS SDKs and Tools Reference Guide,
 * "Process credential provider" and "Container credential provider"; EC2 User Guide, "Retrieve security credentials
 * from instance metadata". */
#ifndef TOCSIN_AWS_KEYS_JSON_H
#define TOCSIN_AWS_KEYS_JSON_H

#include "aws/keys.h"

enum { KEYS_JSON_MAX = 65536 };

typedef enum { KEYS_OF_PROCESS, KEYS_OF_CONTAINER, KEYS_OF_INSTANCE } KeysForm;

/* `now_ms`: AWS's time, when they were obtained. NULL: ERROR_REMOTE, what is wrong with the answer. Caller frees. */
AwsKeys *keys_json_read(KeysForm form, const char *text, size_t length, const char *origin, int64_t now_ms, Error *err);

#endif
