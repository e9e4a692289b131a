/* What hands keys over: processes, containers, EC2 instances, STS. Holds: keys are whole and harmless or there are none
 * and it is said why; nothing of the text gets into what is said; a command's words are no longer than it is. */
#include "fuzz.h"

#include "aws/keys_json.h"
#include "aws/process.h"
#include "aws/sts.h"
#include "base/alloc.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static void look_at(AwsKeys *keys, const Error *err) {
    if (!keys && (err->kind == ERROR_NONE || !*err->text)) abort();
    if (keys && (!*keys->id || has_control(keys->id) || !keys->secret)) abort();
    aws_keys_free(keys);
}

static void split(const uint8_t *data, size_t size) {
    OWN(text) char *command = text_copy_length((const char *)data, strnlen((const char *)data, size));
    Error err = {0};
    size_t all = 0;
    char **words = process_split(command, &err);
    if (!words && err.kind != ERROR_INPUT) abort();
    for (size_t i = 0; words && words[i]; i++) all += strlen(words[i]);
    if (all > strlen(command) || (words && !*words[0])) abort();
    process_arguments_free(words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    for (int form = KEYS_OF_PROCESS; form <= KEYS_OF_INSTANCE; form++) {
        Error err = {0};
        look_at(keys_json_read((KeysForm)form, text, size, "there", 1000, &err), &err);
    }
    Error err = {0};
    look_at(sts_assume_read(text, size, "there", 1000, &err), &err);
    StsIdentity who = {0};
    if (sts_identity_read(text, size, &who, NULL) && (strlen(who.account) != 12 || has_control(who.arn))) abort();
    if (size) split(data, size);
    return 0;
}
