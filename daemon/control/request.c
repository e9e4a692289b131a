#include "control/request.h"

#include "base/alloc.h"
#include "base/text.h"
#include "base/timetext.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Decodes in place, `+` as a blank only in a query. What comes out is text: UTF-8 without control characters. */
static bool decode(char *text, bool query, Error *err) {
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (*from == '+' && query) {
            *to++ = ' ';
        } else if (*from != '%') {
            *to++ = *from;
        } else {
            const int high = hex_digit(from[1]), low = high < 0 ? -1 : hex_digit(from[2]);
            if (low < 0) return error_set(err, ERROR_INPUT, "a `%%` without two hex digits in the address");
            if (high * 16 + low == 0) return error_set(err, ERROR_INPUT, "a NUL byte in the address");
            *to++ = (char)(high * 16 + low);
            from += 2;
        }
    }
    *to = 0;
    if (utf8_ok(text, (size_t)(to - text)) && !has_control(text)) return true;
    return error_set(err, ERROR_INPUT, "the address holds bytes that are no UTF-8, or control characters");
}

static bool parse_path(Target *target, char *path, Error *err) {
    for (char *rest = path + 1, *segment; rest;) {
        segment = strsep(&rest, "/");
        if (!rest && !*segment) break; /* one slash at the end changes nothing */
        if (target->segment_count == TARGET_SEGMENTS)
            return error_set(err, ERROR_INPUT, "more than %d parts in the path", TARGET_SEGMENTS);
        if (!decode(segment, false, err)) return false;
        target->segments[target->segment_count++] = segment;
    }
    return true;
}

static bool parse_query(Target *target, char *query, Error *err) {
    for (char *rest = query, *pair; rest;) {
        pair = strsep(&rest, "&");
        if (!*pair) continue;
        if (target->parameter_count == TARGET_PARAMETERS)
            return error_set(err, ERROR_INPUT, "more than %d parameters", TARGET_PARAMETERS);
        char *equals = strchr(pair, '=');
        char *value = equals ? equals + 1 : pair + strlen(pair);
        if (equals) *equals = 0;
        if (!decode(pair, true, err) || !decode(value, true, err)) return false;
        target->parameters[target->parameter_count++] = (Parameter){pair, value};
    }
    return true;
}

Target *target_parse(const char *text, Error *err) {
    const size_t length = strnlen(text, TARGET_MAX + 1);
    if (length > TARGET_MAX)
        return error_set(err, ERROR_INPUT, "the address is longer than %d bytes", TARGET_MAX), NULL;
    if (text[0] != '/') return error_set(err, ERROR_INPUT, "the address does not begin with `/`"), NULL;
    OWN(target) Target *target = alloc_zeroed(1, sizeof *target + length + 1);
    memcpy(target->text, text, length);
    char *query = strchr(target->text, '?');
    if (query) *query++ = 0;
    if (!parse_path(target, target->text, err)) return NULL;
    if (query && !parse_query(target, query, err)) return NULL;
    return GIVE(target);
}

Target *target_free(Target *target) {
    free(target);
    return NULL;
}

const char *target_parameter(const Target *target, const char *name) {
    for (size_t i = target->parameter_count; i-- > 0;)
        if (!strcmp(target->parameters[i].name, name)) return target->parameters[i].value;
    return NULL;
}

const char *target_stranger(const Target *target, const char *const *known) {
    for (size_t i = 0; i < target->parameter_count; i++) {
        size_t k = 0;
        while (known[k] && strcmp(known[k], target->parameters[i].name)) k++;
        if (!known[k]) return target->parameters[i].name;
    }
    return NULL;
}

bool target_limit(const Target *target, int64_t *ret_limit, Error *err) {
    const char *text = target_parameter(target, "limit");
    if (!text) return *ret_limit = LIST_LIMIT, true;
    const size_t length = strlen(text);
    if (length == 0 || length > 9 || strspn(text, "0123456789") != length || strtol(text, NULL, 10) < 1)
        return error_set(err, ERROR_INPUT, "limit cannot be `%.40s` (a whole number from 1)", text);
    const long limit = strtol(text, NULL, 10);
    *ret_limit = limit > LIST_LIMIT_MAX ? LIST_LIMIT_MAX : limit;
    return true;
}

bool target_time(const Target *target, const char *name, int64_t *ret_ms, Error *err) {
    const char *text = target_parameter(target, name);
    if (!text) return true;
    if (time_parse(text, ret_ms)) return true;
    return error_set(err, ERROR_INPUT, "%s cannot be `%.60s` (a time such as 2026-01-02T03:04:05Z)", name, text);
}

bool host_is_literal(const char *host) {
    char name[INET6_ADDRSTRLEN + 1];
    const bool six = host[0] == '[';
    const char *end = six ? strchr(host, ']') : strchrnul(host, ':');
    if (!end) return false;
    const char *begin = six ? host + 1 : host, *port = six ? end + 1 : end;
    if (*port && (*port != ':' || strlen(port) > 6 || strspn(port + 1, "0123456789") != strlen(port + 1))) return false;
    if ((size_t)(end - begin) >= sizeof name) return false;
    memcpy(name, begin, (size_t)(end - begin));
    name[end - begin] = 0;
    struct in6_addr address;
    if (six) return inet_pton(AF_INET6, name, &address) == 1;
    return !strcasecmp(name, "localhost") || inet_pton(AF_INET, name, &address) == 1;
}
