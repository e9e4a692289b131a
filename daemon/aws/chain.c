#include "aws/chain.h"

#include "base/alloc.h"
#include "base/digest.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

const char *aws_environment(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* --- the files --- */

static char *file_path(const char *name, const char *beside_home) {
    const char *path = aws_environment(name), *home = aws_environment("HOME");
    if (!path && !home) return text_copy("");
    if (!path) return text_format("%s/%s", home, beside_home);
    if (strncmp(path, "~/", 2) == 0 && home) return text_format("%s/%s", home, path + 2);
    return text_copy(path);
}

static char *config_path(void) { return file_path("AWS_CONFIG_FILE", ".aws/config"); }
static char *credentials_path(void) { return file_path("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"); }

static Profiles *read_file(ProfileKind kind, const char *path, Error *err) {
    return *path ? profiles_read(kind, path, err) : profiles_parse(kind, path, "", 0, err);
}

bool aws_files_read(AwsFiles *ret_files, Error *err) {
    AwsFiles files = {.config_path = config_path(), .credentials_path = credentials_path()};
    files.config = read_file(PROFILE_CONFIG, files.config_path, err);
    files.credentials = files.config ? read_file(PROFILE_CREDENTIALS, files.credentials_path, err) : NULL;
    if (!files.credentials) {
        aws_files_deinit(&files);
        return false;
    }
    *ret_files = files;
    return true;
}

void aws_files_deinit(AwsFiles *files) {
    profiles_free(files->config);
    profiles_free(files->credentials);
    free(files->config_path);
    free(files->credentials_path);
    *files = (AwsFiles){0};
}

uint64_t aws_files_stamp(void) {
    OWN(text) char *config = config_path(), *credentials = credentials_path();
    const char *const paths[] = {config, credentials};
    char text[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct stat file = {0};
        if (stat(paths[i], &file)) file = (struct stat){0};
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%lld.%09ld %lld %llu;", (long long)file.st_mtim.tv_sec,
                file.st_mtim.tv_nsec, (long long)file.st_size, (unsigned long long)file.st_ino);
    }
    return stable_hash(text);
}

const char *aws_profile_name(const char *profile) {
    if (!profile) profile = aws_environment("AWS_PROFILE");
    if (!profile) profile = aws_environment("AWS_DEFAULT_PROFILE");
    return profile ? profile : "default";
}

const char *aws_files_get(const AwsFiles *files, const char *profile, const char *key) {
    const char *value = profiles_get(files->credentials, SECTION_PROFILE, profile, NULL, key);
    return value ? value : profiles_get(files->config, SECTION_PROFILE, profile, NULL, key);
}

/* --- settings --- */

static const char *not_empty(const char *value) { return value && *value ? value : NULL; }

const char *aws_chain_region(const AwsFiles *files, const char *profile) {
    const char *region = aws_environment("AWS_REGION");
    if (!region) region = aws_environment("AWS_DEFAULT_REGION");
    return region ? region : not_empty(aws_files_get(files, aws_profile_name(profile), "region"));
}

static bool ignored(const AwsFiles *files, const char *profile) {
    const char *word = aws_environment("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    if (!word) word = aws_files_get(files, profile, "ignore_configured_endpoint_urls");
    return word && strcasecmp(word, "true") == 0;
}

const char *aws_chain_endpoint(const AwsFiles *files, const char *profile, const char *service_word) {
    char name[64] = "AWS_ENDPOINT_URL_";
    profile = aws_profile_name(profile);
    if (ignored(files, profile)) return NULL;
    const size_t stem = strlen(name);
    for (size_t i = 0; service_word[i] && stem + i + 1 < sizeof name; i++)
        name[stem + i] = (char)toupper((unsigned char)service_word[i]);
    const char *url = aws_environment(name), *services = aws_files_get(files, profile, "services");
    if (!url) url = aws_environment("AWS_ENDPOINT_URL");
    if (!url && services)
        url = not_empty(profiles_get(files->config, SECTION_SERVICES, services, service_word, "endpoint_url"));
    return url ? url : not_empty(aws_files_get(files, profile, "endpoint_url"));
}

const char *aws_chain_ca_bundle(const AwsFiles *files, const char *profile) {
    const char *path = aws_environment("AWS_CA_BUNDLE");
    return path ? path : not_empty(aws_files_get(files, aws_profile_name(profile), "ca_bundle"));
}
