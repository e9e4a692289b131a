/* `field|modifier|modifier` as data. Source: Sigma Modifiers Appendix 2.1. For sigma_item.c. */
#ifndef TOCSIN_RULES_SIGMA_MODIFIER_H
#define TOCSIN_RULES_SIGMA_MODIFIER_H

#include "rules/sigma_expr.h"

typedef enum {
    MODIFIER_CONTAINS,
    MODIFIER_STARTSWITH,
    MODIFIER_ENDSWITH,
    MODIFIER_ALL,
    MODIFIER_CASED,
    MODIFIER_NEQ,
    MODIFIER_EXISTS,
    MODIFIER_RE,
    MODIFIER_I,
    MODIFIER_M,
    MODIFIER_S,
    MODIFIER_CIDR,
    MODIFIER_FIELDREF,
    MODIFIER_LT,
    MODIFIER_LTE,
    MODIFIER_GT,
    MODIFIER_GTE,
    MODIFIER_EXPAND,
    MODIFIER_WINDASH,
    MODIFIER_BASE64,
    MODIFIER_BASE64OFFSET,
    MODIFIER_UTF16LE,
    MODIFIER_UTF16BE,
    MODIFIER_UTF16,
    MODIFIER_COUNT
} SigmaModifier;

enum { MODIFIERS_MAX = 8 }; /* of one field */

typedef struct SigmaKey {
    const char *field; /* "" where there is none: keywords */
    bool has[MODIFIER_COUNT];
    SigmaModifier order[MODIFIERS_MAX]; /* as written */
    size_t count;
} SigmaKey;

/* Takes a key apart and checks that its modifiers go together. False: problems. */
bool key_read(SigmaCompile *in, const Node *key, SigmaKey *ret_key);

#endif
