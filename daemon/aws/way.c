#include "aws/way.h"

#include "aws/process.h"
#include "aws/service.h"
#include "aws/sts.h"
#include "base/alloc.h"
#include "base/text.h"
#include "base/timetext.h"
#include "net/url.h"

#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
    WEB_TOKEN_MAX = 20000,
    DURATION_MIN_S = 900,
    DURATION_MAX_S = 43200,
    EXTERNAL_ID_MIN = 2,
    EXTERNAL_ID_MAX = 1224
};

#define ECS_AGENT "169.254.170.2"

typedef enum { FOUND, ABSENT, BROKEN } Found;

typedef struct Search {
    const AwsFiles *files;
    Way *way;
    Error *err;
} Search;

/* --- the way itself --- */

static void link_deinit(WayLink *link) {
    free(link->origin);
    free(link->profile);
    aws_keys_free(link->keys);
    free(link->role_arn);
    free(link->session);
    secret_free(link->external_id);
    secret_free(link->token);
    process_arguments_free(link->arguments);
    free(link->url);
}

Way *way_free(Way *way) {
    if (!way) return NULL;
    for (size_t i = 0; i < way->count; i++) link_deinit(&way->links[i]);
    free(way);
    return NULL;
}

/* The next link, which the caller fills. Takes `take_origin`. NULL: too many, and it is said. */
static WayLink *add_link(Search *search, WayKind kind, const char *profile, char *take_origin) {
    Way *way = search->way;
    if (way->count == WAY_LINKS_MAX) {
        free(take_origin);
        error_set(search->err, ERROR_INPUT, "more than %d sources of credentials behind one another, up to %s `%.80s`",
            WAY_LINKS_MAX, "profile", profile);
        return NULL;
    }
    WayLink *link = &way->links[way->count++];
    *link = (WayLink){.kind = kind, .origin = take_origin, .profile = text_copy(profile)};
    return link;
}

static Secret *secret_of(const char *text) { return text && *text ? secret_new(text, strlen(text)) : NULL; }

/* NULL where absent or empty. */
static const char *get(const Search *search, const char *profile, const char *key) {
    const char *value = aws_files_get(search->files, profile, key);
    return value && *value ? value : NULL;
}

static Found broken(bool is_false) {
    (void)is_false; /* error_set()'s, so that a refusal is one line */
    return BROKEN;
}

/* --- keys as they are --- */

static Found environment_keys(Search *search, const char *profile) {
    const char *id = aws_environment("AWS_ACCESS_KEY_ID"), *secret = aws_environment("AWS_SECRET_ACCESS_KEY");
    if (!id)
        return broken(error_set(search->err, ERROR_INPUT,
            "profile `%s` takes its credentials from the environment, where AWS_ACCESS_KEY_ID is not set", profile));
    if (!secret)
        return broken(error_set(search->err, ERROR_INPUT,
            "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not (set both, or neither)"));
    WayLink *link = add_link(search, WAY_KEYS, profile, text_copy("the environment"));
    if (!link) return BROKEN;
    link->keys =
        aws_keys_new(id, secret_of(secret), secret_of(aws_environment("AWS_SESSION_TOKEN")), "the environment");
    const char *end = aws_environment("AWS_CREDENTIAL_EXPIRATION");
    if (end && !time_parse(end, &link->keys->expires_ms)) link->keys->expires_ms = 0;
    return FOUND;
}

static bool has_key(const Profiles *profiles, const char *name) {
    return profiles_get(profiles, SECTION_PROFILE, name, NULL, "aws_access_key_id") != NULL;
}

static Found file_keys(Search *search, const Profiles *profiles, const char *path, const char *name) {
    if (!has_key(profiles, name)) return ABSENT;
    const char *id = profiles_get(profiles, SECTION_PROFILE, name, NULL, "aws_access_key_id");
    const char *secret = profiles_get(profiles, SECTION_PROFILE, name, NULL, "aws_secret_access_key");
    const char *token = profiles_get(profiles, SECTION_PROFILE, name, NULL, "aws_session_token");
    if (!token) token = profiles_get(profiles, SECTION_PROFILE, name, NULL, "aws_security_token");
    if (!*id || !secret || !*secret)
        return broken(error_set(search->err, ERROR_INPUT,
            "profile `%s` in %s has aws_access_key_id without aws_secret_access_key, or empty ones", name, path));
    WayLink *link = add_link(search, WAY_KEYS, name, text_format("profile %s in %s", name, path));
    if (!link) return BROKEN;
    link->keys = aws_keys_new(id, secret_of(secret), secret_of(token), link->origin);
    return FOUND;
}

static Found credentials_keys(Search *search, const char *name) {
    return file_keys(search, search->files->credentials, search->files->credentials_path, name);
}

static Found config_keys(Search *search, const char *name) {
    return file_keys(search, search->files->config, search->files->config_path, name);
}

/* --- what a role needs --- */

static bool take_role_arn(Search *search, WayLink *link, const char *arn) {
    const char *partition, *account;
    size_t length;
    if (!aws_role_arn(arn, &partition, &length, &account))
        return error_set(search->err, ERROR_INPUT, "profile `%s`: `%.200s` is no role's ARN", link->profile, arn);
    link->role_arn = text_copy(arn);
    return true;
}

/* `given` NULL: by the host's name. */
static bool take_session(Search *search, WayLink *link, const char *given) {
    char host[256] = "host", made[STS_SESSION_MAX];
    if (!given) {
        if (gethostname(host, sizeof host - 1)) memcpy(host, "host", 5);
        sts_session_name(host, made);
        given = made;
    }
    const size_t length = strlen(given);
    bool fine = length >= 2 && length < STS_SESSION_MAX;
    for (const char *p = given; fine && *p; p++) fine = isalnum((unsigned char)*p) || strchr("_+=,.@-", *p);
    if (!fine)
        return error_set(search->err, ERROR_INPUT,
            "profile `%s`: the role's session cannot be called `%.80s` (2 to 64 letters, digits and _+=,.@-)",
            link->profile, given);
    link->session = text_copy(given);
    return true;
}

static bool take_duration(Search *search, WayLink *link) {
    const char *text = get(search, link->profile, "duration_seconds");
    if (!text) return true;
    const bool number = strlen(text) < 7 && text[strspn(text, "0123456789")] == 0;
    link->duration_s = number ? atol(text) : 0;
    if (link->duration_s >= DURATION_MIN_S && link->duration_s <= DURATION_MAX_S) return true;
    return error_set(search->err, ERROR_INPUT, "profile `%s`: duration_seconds is %d to %d, not `%.40s`", link->profile,
        DURATION_MIN_S, DURATION_MAX_S, text);
}

/* --- web identity --- */

static bool web_token(Search *search, WayLink *link, const char *path) {
    Error err = {0};
    link->token = secret_read(path, NULL, &err);
    if (!link->token) return error_set(search->err, err.kind, "the web identity token %s %s", path, err.text);
    size_t length;
    secret_reveal(link->token, &length);
    if (length >= 4 && length <= WEB_TOKEN_MAX) return true;
    return error_set(search->err, ERROR_INPUT, "the web identity token %s has %zu bytes, where 4 to %d are taken", path,
        length, WEB_TOKEN_MAX);
}

/* The environment wins key by key, where it is asked at all. */
static Found web_identity(Search *search, const char *name, bool environment) {
    const char *file = environment ? aws_environment("AWS_WEB_IDENTITY_TOKEN_FILE") : NULL;
    const char *role = environment ? aws_environment("AWS_ROLE_ARN") : NULL;
    const char *session = environment ? aws_environment("AWS_ROLE_SESSION_NAME") : NULL;
    if (!file) file = get(search, name, "web_identity_token_file");
    if (!file) return ABSENT;
    if (!role) role = get(search, name, "role_arn");
    if (!session) session = get(search, name, "role_session_name");
    if (!role)
        return broken(error_set(search->err, ERROR_INPUT,
            "there is a web identity token (%s), but no role for it (set AWS_ROLE_ARN, or role_arn in profile `%s`)",
            file, name));
    WayLink *link = add_link(search, WAY_WEB_IDENTITY, name, text_format("web identity %s as role %.200s", file, role));
    return link && take_role_arn(search, link, role) && take_session(search, link, session) &&
            take_duration(search, link) && web_token(search, link, file)
        ? FOUND
        : BROKEN;
}

/* --- what a daemon cannot do --- */

static Found sso(Search *search, const char *name) {
    if (!get(search, name, "sso_account_id") && !get(search, name, "sso_role_name")) return ABSENT;
    return broken(error_set(search->err, ERROR_INPUT,
        "profile `%s` asks for a sign-in by IAM Identity Center (sso_account_id), which ends with a person's session "
        "and "
        "which Tocsin does not do (use a role, or credential_process = aws configure export-credentials --profile %s)",
        name, name));
}

static Found login_session(Search *search, const char *name) {
    if (!get(search, name, "login_session")) return ABSENT;
    return broken(error_set(search->err, ERROR_INPUT,
        "profile `%s` asks for a session of `aws login`, which a daemon cannot renew (use a role or static keys)",
        name));
}

/* --- a process --- */

static Found process(Search *search, const char *name) {
    const char *command = get(search, name, "credential_process");
    Error err = {0};
    if (!command) return ABSENT;
    char **arguments = process_split(command, &err);
    if (!arguments)
        return broken(error_set(search->err, ERROR_INPUT, "credential_process of profile `%s`: %s", name, err.text));
    WayLink *link = add_link(search, WAY_PROCESS, name, text_format("credential_process of profile %s", name));
    if (link)
        link->arguments = arguments;
    else
        process_arguments_free(arguments);
    return link ? FOUND : BROKEN;
}

/* --- containers and instances --- */

static bool is_loopback(const char *host) {
    struct sockaddr_storage address;
    if (strcmp(host, "localhost") == 0) return true;
    if (!host_is_address(host, &address)) return false;
    if (address.ss_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)&address)->sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)&address)->sin6_addr);
}

bool way_container_url_ok(const char *url, Error *err) {
    static const char *const agents[] = {ECS_AGENT, "169.254.170.23", "fd00:ec2::23"};
    __attribute__((cleanup(url_parts_drop))) UrlParts parts = {0};
    if (!url_split(url, &parts, err)) return false;
    if (strcmp(parts.scheme, "https") == 0 || is_loopback(parts.host)) return true;
    for (size_t i = 0; i < COUNT_OF(agents); i++)
        if (strcmp(parts.host, agents[i]) == 0) return true;
    return error_set(err, ERROR_INPUT,
        "credentials are asked for by plain http of this machine and of " ECS_AGENT
        ", 169.254.170.23 and [fd00:ec2::23] alone, not of `%.100s` (use https)",
        parts.host);
}

static bool container_token(Search *search, WayLink *link) {
    const char *path = aws_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"), *text;
    Error err = {0};
    link->token =
        path ? secret_read(path, NULL, &err) : secret_of(aws_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN"));
    if (path && !link->token)
        return error_set(search->err, err.kind, "the container's authorization token %s %s", path, err.text);
    text = link->token ? secret_reveal(link->token, NULL) : "";
    return !has_control(text) ||
        error_set(search->err, ERROR_INPUT,
            "the container's authorization token has a line end or another control character in it");
}

static Found container(Search *search, const char *name) {
    const char *relative = aws_environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = aws_environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    Error err = {0};
    if (!relative && !full) return ABSENT;
    OWN(text) char *url = relative ? text_format("http://" ECS_AGENT "%s", relative) : text_copy(full);
    if ((relative && *relative != '/') || !way_container_url_ok(url, &err))
        return broken(error_set(search->err, ERROR_INPUT, "AWS_CONTAINER_CREDENTIALS_%s_URI: %s",
            relative ? "RELATIVE" : "FULL", *err.text ? err.text : "it does not begin with `/`"));
    WayLink *link = add_link(search, WAY_CONTAINER, name, text_copy("the container's credentials"));
    if (!link) return BROKEN;
    link->url = GIVE(url);
    return container_token(search, link) ? FOUND : BROKEN;
}

static const char *metadata_setting(Search *search, const char *name, const char *variable, const char *key) {
    const char *value = aws_environment(variable);
    return value ? value : get(search, name, key);
}

static Found instance(Search *search, const char *name) {
    const char *disabled = aws_environment("AWS_EC2_METADATA_DISABLED");
    if (disabled && strcasecmp(disabled, "true") == 0) return ABSENT;
    const char *url =
        metadata_setting(search, name, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint");
    const char *mode =
        metadata_setting(search, name, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode");
    Error err = {0};
    if (mode && strcasecmp(mode, "ipv4") != 0 && strcasecmp(mode, "ipv6") != 0)
        return broken(error_set(
            search->err, ERROR_INPUT, "the mode of EC2's metadata endpoint is IPv4 or IPv6, not `%.40s`", mode));
    if (!url) url = mode && strcasecmp(mode, "ipv6") == 0 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
    if (!url_ok(url, true, &err))
        return broken(error_set(search->err, ERROR_INPUT, "the address of EC2's metadata endpoint: %s", err.text));
    WayLink *link = add_link(search, WAY_INSTANCE, name, text_copy("the EC2 instance's role"));
    if (!link) return BROKEN;
    size_t length = strlen(url);
    while (length && url[length - 1] == '/') length--;
    link->url = text_copy_length(url, length);
    return FOUND;
}

/* --- the order --- */

static bool profile_exists(const Search *search, const char *name) {
    return profiles_has(search->files->config, SECTION_PROFILE, name) ||
        profiles_has(search->files->credentials, SECTION_PROFILE, name);
}

/* What one profile has itself, but for a role by other keys. */
static Found own_keys(Search *search, const char *name, bool environment) {
    static Found (*const ways[])(Search *, const char *) = {sso, credentials_keys, login_session, process, config_keys};
    Found found = web_identity(search, name, environment);
    for (size_t i = 0; i < COUNT_OF(ways) && found == ABSENT; i++) found = ways[i](search, name);
    return found;
}

static bool wants_role(const Search *search, const char *name) {
    return get(search, name, "role_arn") && !get(search, name, "web_identity_token_file");
}

static bool has_static(const Search *search, const char *name) {
    return has_key(search->files->credentials, name) || has_key(search->files->config, name);
}

/* Where the key stands that counts. */
static Place key_place(const AwsFiles *files, const char *name, const char *key) {
    const size_t line = profiles_line(files->credentials, SECTION_PROFILE, name, key);
    if (line) return (Place){files->credentials_path, (uint32_t)line, 1};
    return (Place){files->config_path, (uint32_t)profiles_line(files->config, SECTION_PROFILE, name, key), 1};
}

/* `a -> b -> a`: told by name, for the person has to find it in two files. */
static char *name_circle(const char *const *names, size_t count, const char *again) {
    Buffer text = BUFFER(WAY_LINKS_MAX * 50);
    for (size_t i = 0; i < count; i++) buffer_format(&text, "%.40s -> ", names[i]);
    buffer_format(&text, "%.40s", again);
    return buffer_take(&text);
}

char *way_circle(const AwsFiles *files, const char *profile, Place *ret_at) {
    const Search search = {.files = files};
    const char *names[WAY_LINKS_MAX];
    const char *name = aws_profile_name(profile);
    for (size_t count = 0; count < WAY_LINKS_MAX && name && wants_role(&search, name); count++) {
        const char *source = get(&search, name, "source_profile");
        names[count] = name;
        if (!source || (count && has_static(&search, name))) return NULL; /* keys of its own end the way */
        for (size_t i = 0; i <= count && wants_role(&search, source) && !has_static(&search, source); i++) {
            if (strcmp(names[i], source) != 0) continue;
            *ret_at = key_place(files, name, "source_profile");
            return name_circle(names, count + 1, source);
        }
        name = source;
    }
    return NULL;
}

static Found credential_source(Search *search, const char *name, const char *word) {
    Found found;
    if (strcasecmp(word, "Environment") == 0) return environment_keys(search, name);
    if (strcasecmp(word, "EcsContainer") == 0)
        found = container(search, name);
    else if (strcasecmp(word, "Ec2InstanceMetadata") == 0)
        found = instance(search, name);
    else
        return broken(error_set(search->err, ERROR_INPUT,
            "profile `%s`: credential_source is Environment, Ec2InstanceMetadata or EcsContainer, not `%.40s`", name,
            word));
    if (found != ABSENT) return found;
    return broken(error_set(search->err, ERROR_INPUT,
        "profile `%s` has credential_source = %.40s, and %s (set it, or name another source)", name, word,
        strcasecmp(word, "EcsContainer") == 0 ? "no AWS_CONTAINER_CREDENTIALS_..._URI is set here"
                                              : "AWS_EC2_METADATA_DISABLED forbids it"));
}

static bool take_external_id(Search *search, WayLink *link) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@:/-";
    const char *id = get(search, link->profile, "external_id");
    if (!id) return true;
    const size_t length = strlen(id);
    if (length < EXTERNAL_ID_MIN || length > EXTERNAL_ID_MAX || id[strspn(id, allowed)])
        return error_set(search->err, ERROR_INPUT,
            "profile `%s`: external_id is no such (2 to 1224 letters, digits and _+=,.@:/-)", link->profile);
    link->external_id = secret_of(id);
    return true;
}

static Found role_link(Search *search, const char *name) {
    const char *arn = get(search, name, "role_arn");
    if (get(search, name, "mfa_serial"))
        return broken(error_set(search->err, ERROR_INPUT,
            "profile `%s` needs MFA, which a daemon cannot enter (name a profile without mfa_serial)", name));
    WayLink *link = add_link(search, WAY_ROLE, name, text_format("role %.200s of profile %s", arn, name));
    if (!link || !take_role_arn(search, link, arn) || !take_duration(search, link) ||
        !take_session(search, link, get(search, name, "role_session_name")) || !take_external_id(search, link))
        return BROKEN;
    return FOUND;
}

/* The profile behind a role: its own keys, or a role again (*ret_next). */
static Found source_profile(Search *search, const char *source, const char **ret_next) {
    if (!profile_exists(search, source))
        return broken(error_set(search->err, ERROR_INPUT,
            "profile `%s` has source_profile = %s, which is neither in %s nor in %s",
            search->way->links[search->way->count - 1].profile, source, search->files->config_path,
            search->files->credentials_path));
    if (wants_role(search, source) && !has_static(search, source)) {
        *ret_next = source;
        return FOUND;
    }
    const Found found = own_keys(search, source, false);
    if (found != ABSENT) return found;
    return broken(error_set(search->err, ERROR_INPUT,
        "profile `%s`, the source_profile of `%s`, has no credentials (give it keys, or a role)", source,
        search->way->links[search->way->count - 1].profile));
}

static Found no_circle(Search *search, const char *name) {
    Place at;
    OWN(text) char *circle = way_circle(search->files, name, &at);
    if (!circle) return FOUND;
    return broken(error_set(search->err, ERROR_INPUT, "%s:%u:%u: " WAY_CIRCLE " (" WAY_CIRCLE_REMEDY ")", at.file,
        at.line, at.column, circle));
}

static Found roles(Search *search, const char *name) {
    Found found = FOUND;
    for (const char *next = name; next && found == FOUND;) {
        const char *source = get(search, next, "source_profile"), *word = get(search, next, "credential_source");
        if (!source == !word)
            return broken(error_set(search->err, ERROR_INPUT,
                "profile `%s` has role_arn and %s source_profile and credential_source (give one of the two)", next,
                source ? "both of" : "neither of"));
        found = role_link(search, next);
        if (found == FOUND) found = no_circle(search, name);
        if (found != FOUND) return found;
        const char *asking = next;
        next = NULL;
        found = source ? source_profile(search, source, &next) : credential_source(search, asking, word);
    }
    return found;
}

static Found nothing(Search *search, const char *name) {
    const AwsFiles *files = search->files;
    return broken(error_set(search->err, ERROR_INPUT,
        "none in the environment (AWS_ACCESS_KEY_ID), in %s or in %s, profile `%s`, and the role of an EC2 instance is "
        "not "
        "asked for: AWS_EC2_METADATA_DISABLED is set (put keys or a role into one of them)",
        *files->credentials_path ? files->credentials_path : "~/.aws/credentials",
        *files->config_path ? files->config_path : "~/.aws/config", name));
}

static Found search_all(Search *search, const char *profile) {
    const char *name = aws_profile_name(profile);
    const bool named = profile || aws_environment("AWS_PROFILE") || aws_environment("AWS_DEFAULT_PROFILE");
    if (named && !profile_exists(search, name))
        return broken(error_set(search->err, ERROR_INPUT,
            "profile `%s` is neither in %s nor in %s (write it there, or name another)", name,
            search->files->config_path, search->files->credentials_path));
    if (wants_role(search, name)) return roles(search, name);
    Found found = own_keys(search, name, profile == NULL);
    if (found == ABSENT) found = container(search, name);
    if (found == ABSENT) found = instance(search, name);
    return found == ABSENT ? nothing(search, name) : found;
}

Way *way_find(const char *profile, Error *err) {
    __attribute__((cleanup(aws_files_drop))) AwsFiles files = {0};
    OWN(way) Way *half = alloc_zeroed(1, sizeof *half);
    Search search = {&files, half, err};
    if (!profile && aws_environment("AWS_ACCESS_KEY_ID"))
        return environment_keys(&search, aws_profile_name(NULL)) == FOUND ? GIVE(half) : NULL;
    if (!aws_files_read(&files, err)) return NULL;
    return search_all(&search, profile) == FOUND ? GIVE(half) : NULL;
}
