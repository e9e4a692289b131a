/* The SDKs' shared files, as either kind. Holds: what is found lies where it was said to be, and nothing grows beyond
 * the text. */
#include "fuzz.h"

#include "aws/profile.h"

#include <stdlib.h>
#include <string.h>

static void read_as(ProfileKind kind, const uint8_t *data, size_t size) {
    static const char *const keys[] = {
        "aws_access_key_id", "aws_secret_access_key", "region", "endpoint_url", "role_arn"};
    Error err = {0};
    OWN(profiles) Profiles *profiles = profiles_parse(kind, "file", (const char *)data, size, &err);
    if (!profiles && err.kind == ERROR_NONE) abort();
    for (size_t i = 0; profiles && i < COUNT_OF(keys); i++) {
        const char *value = profiles_get(profiles, SECTION_PROFILE, "default", NULL, keys[i]);
        if (value && (strlen(value) > size || !profiles_has(profiles, SECTION_PROFILE, "default"))) abort();
        profiles_get(profiles, SECTION_SERVICES, "s", "sns", keys[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    read_as(PROFILE_CONFIG, data, size);
    read_as(PROFILE_CREDENTIALS, data, size);
    return 0;
}
