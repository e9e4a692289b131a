/* A request's target taken apart: `/v1/alarms/a%2Fb?state=ALARM` into decoded segments and parameters. Pure; what comes
 * in is believed only after it passed the bounds. */
#ifndef TOCSIN_CONTROL_REQUEST_H
#define TOCSIN_CONTROL_REQUEST_H

#include "base/error.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TARGET_SEGMENTS = 8, TARGET_PARAMETERS = 32, TARGET_MAX = 16384, LIST_LIMIT = 1000, LIST_LIMIT_MAX = 10000 };

typedef struct Parameter {
    const char *name, *value;
} Parameter;

typedef struct Target Target;
struct Target {
    const char *segments[TARGET_SEGMENTS]; /* `v1`, `alarms`, `a/b` */
    size_t segment_count;
    Parameter parameters[TARGET_PARAMETERS];
    size_t parameter_count;
    char text[]; /* what they point into */
};

/* NULL: ERROR_INPUT; no leading `/`, too long, too many parts, a `%` without two hex digits, or bytes that are no UTF-8
 * or are control characters once decoded. Caller frees. */
Target *target_parse(const char *text, Error *err);
Target *target_free(Target *target);
OWN_DEFINE(Target, target)

const char *target_parameter(const Target *target, const char *name); /* NULL where absent; the last one wins */
/* The first parameter that is not in `known` (ends at NULL), or NULL. */
const char *target_stranger(const Target *target, const char *const *known);
/* `limit`: a whole number from 1, cut to LIST_LIMIT_MAX; LIST_LIMIT where absent. */
bool target_limit(const Target *target, int64_t *ret_limit, Error *err);
/* A parameter that is an RFC 3339 time; `*ret_ms` stays where it is absent. */
bool target_time(const Target *target, const char *name, int64_t *ret_ms, Error *err);

/* Is a Host header's value (port included) one that a browser cannot be lured with: an address literal or localhost? */
bool host_is_literal(const char *host);

#endif
