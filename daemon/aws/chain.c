#include "aws/chain.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "base/timetext.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* --- the files --- */

static char *file_path(const char *name, const char *beside_home) {
    const char *path = variable(name), *home = variable("HOME");
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
    if (!profile) profile = variable("AWS_PROFILE");
    if (!profile) profile = variable("AWS_DEFAULT_PROFILE");
    return profile ? profile : "default";
}

const char *aws_files_get(const AwsFiles *files, const char *profile, const char *key) {
    const char *value = profiles_get(files->credentials, SECTION_PROFILE, profile, NULL, key);
    return value ? value : profiles_get(files->config, SECTION_PROFILE, profile, NULL, key);
}

/* --- keys --- */

static Secret *secret_of(const char *text) { return text && *text ? secret_new(text, strlen(text)) : NULL; }

static AwsKeys *environment_keys(Error *err) {
    const char *id = variable("AWS_ACCESS_KEY_ID"), *secret = variable("AWS_SECRET_ACCESS_KEY");
    if (!secret)
        return error_set(err, ERROR_INPUT,
                   "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not (set both, or neither)"),
               NULL;
    AwsKeys *keys = aws_keys_new(id, secret_of(secret), secret_of(variable("AWS_SESSION_TOKEN")), "the environment");
    const char *end = variable("AWS_CREDENTIAL_EXPIRATION");
    if (end && !time_parse(end, &keys->expires_ms)) keys->expires_ms = 0;
    return keys;
}

static AwsKeys *profile_keys(const Profiles *profiles, const char *path, const char *name, Error *err) {
    const char *id = profiles_get(profiles, SECTION_PROFILE, name, NULL, "aws_access_key_id");
    const char *secret = profiles_get(profiles, SECTION_PROFILE, name, NULL, "aws_secret_access_key");
    const char *token = profiles_get(profiles, SECTION_PROFILE, name, NULL, "aws_session_token");
    if (!token) token = profiles_get(profiles, SECTION_PROFILE, name, NULL, "aws_security_token");
    if (!*id || !secret || !*secret)
        return error_set(err, ERROR_INPUT,
                   "profile `%s` in %s has aws_access_key_id without aws_secret_access_key, or empty ones", name, path),
               NULL;
    OWN(text) char *origin = text_format("profile %s in %s", name, path);
    return aws_keys_new(id, secret_of(secret), secret_of(token), origin);
}

/* What the SDKs would take before static keys, or after them, and what does not exist here yet, in their order. */
typedef struct LaterWay {
    const char *key, *variable; /* of the profile; of the environment */
    const char *what, *instead;
} LaterWay;

static const LaterWay before_keys[] = {
    {"role_arn", NULL, "a role to assume (role_arn)",
        "put static keys into the profile and give the role in aws.accounts"},
    {"web_identity_token_file", "AWS_WEB_IDENTITY_TOKEN_FILE", "a web identity token",
        "use static keys or aws.accounts"},
    {"sso_account_id", NULL, "a sign-in by IAM Identity Center", "use static keys or aws.accounts"},
    {"sso_role_name", NULL, "a sign-in by IAM Identity Center", "use static keys or aws.accounts"},
};
static const LaterWay before_config_keys[] = {
    {"login_session", NULL, "a session of `aws login`", "a daemon cannot renew it: use static keys or aws.accounts"},
    {"credential_process", NULL, "a credential_process", "use static keys or aws.accounts"},
};
static const LaterWay after_keys[] = {
    {NULL, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "a container's credentials", "use static keys or aws.accounts"},
    {NULL, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "a container's credentials", "use static keys or aws.accounts"},
};

static bool found_later(
    const AwsFiles *files, const char *name, bool explicit, const LaterWay *ways, size_t count, Error *err) {
    for (size_t i = 0; i < count; i++) {
        const LaterWay *way = &ways[i];
        const char *value = way->key ? aws_files_get(files, name, way->key) : NULL;
        if (!value && way->variable && !explicit) value = variable(way->variable);
        if (!value) continue;
        error_set(err, ERROR_INPUT, "profile `%s` asks for %s, which this version of Tocsin does not do yet (%s)", name,
            way->what, way->instead);
        return true;
    }
    return false;
}

static bool profile_exists(const AwsFiles *files, const char *name) {
    return profiles_has(files->config, SECTION_PROFILE, name) ||
        profiles_has(files->credentials, SECTION_PROFILE, name);
}

static bool has_key(const Profiles *profiles, const char *name) {
    return profiles_get(profiles, SECTION_PROFILE, name, NULL, "aws_access_key_id") != NULL;
}

static AwsKeys *files_keys(const AwsFiles *files, const char *name, bool named, bool explicit, Error *err) {
    if (named && !profile_exists(files, name))
        return error_set(err, ERROR_INPUT, "profile `%s` is neither in %s nor in %s (write it there, or name another)",
                   name, files->config_path, files->credentials_path),
               NULL;
    if (aws_files_get(files, name, "mfa_serial"))
        return error_set(err, ERROR_INPUT,
                   "profile `%s` needs MFA, which a daemon cannot enter (name a profile without mfa_serial)", name),
               NULL;
    if (found_later(files, name, explicit, before_keys, COUNT_OF(before_keys), err)) return NULL;
    if (has_key(files->credentials, name)) return profile_keys(files->credentials, files->credentials_path, name, err);
    if (found_later(files, name, explicit, before_config_keys, COUNT_OF(before_config_keys), err)) return NULL;
    if (has_key(files->config, name)) return profile_keys(files->config, files->config_path, name, err);
    if (found_later(files, name, explicit, after_keys, COUNT_OF(after_keys), err)) return NULL;
    error_set(err, ERROR_INPUT,
        "none in the environment (AWS_ACCESS_KEY_ID), in %s or in %s, profile `%s` (put keys into one of them; the "
        "role of an EC2 "
        "instance is not asked by this version of Tocsin)",
        *files->credentials_path ? files->credentials_path : "~/.aws/credentials",
        *files->config_path ? files->config_path : "~/.aws/config", name);
    return NULL;
}

AwsKeys *aws_chain_keys(const char *profile, Error *err) {
    __attribute__((cleanup(aws_files_drop))) AwsFiles files = {0};
    if (!profile && variable("AWS_ACCESS_KEY_ID")) return environment_keys(err);
    if (!aws_files_read(&files, err)) return NULL;
    const bool named = profile || variable("AWS_PROFILE") || variable("AWS_DEFAULT_PROFILE");
    return files_keys(&files, aws_profile_name(profile), named, profile != NULL, err);
}

/* --- settings --- */

static const char *not_empty(const char *value) { return value && *value ? value : NULL; }

const char *aws_chain_region(const AwsFiles *files, const char *profile) {
    const char *region = variable("AWS_REGION");
    if (!region) region = variable("AWS_DEFAULT_REGION");
    return region ? region : not_empty(aws_files_get(files, aws_profile_name(profile), "region"));
}

static bool ignored(const AwsFiles *files, const char *profile) {
    const char *word = variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
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
    const char *url = variable(name), *services = aws_files_get(files, profile, "services");
    if (!url) url = variable("AWS_ENDPOINT_URL");
    if (!url && services)
        url = not_empty(profiles_get(files->config, SECTION_SERVICES, services, service_word, "endpoint_url"));
    return url ? url : not_empty(aws_files_get(files, profile, "endpoint_url"));
}

const char *aws_chain_ca_bundle(const AwsFiles *files, const char *profile) {
    const char *path = variable("AWS_CA_BUNDLE");
    return path ? path : not_empty(aws_files_get(files, aws_profile_name(profile), "ca_bundle"));
}
