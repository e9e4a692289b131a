/* Sigma's `re`: PCRE2 under limits, so that no pattern and no event can hold the program up. A compiled pattern is
 * immutable and read by any thread; what a match needs lies in a RegexRoom, one a thread. The JIT is used where the
 * system lets it (not under MemoryDenyWriteExecute). */
#ifndef TOCSIN_RULES_SIGMA_REGEX_H
#define TOCSIN_RULES_SIGMA_REGEX_H

#include "base/error.h"
#include "base/own.h"

#include <stddef.h>

enum {
    REGEX_PATTERN_MAX = 8192, /* bytes */
    REGEX_COMPILED_MAX = 1 << 20, /* bytes */
    REGEX_NEST_MAX = 100, /* parentheses */
    REGEX_MATCH_MAX = 100000, /* PCRE2's match limit */
    REGEX_DEPTH_MAX = 1000,
    REGEX_HEAP_MAX_KIB = 1024
};

typedef struct SigmaRegex SigmaRegex;
typedef struct RegexRoom RegexRoom;
typedef enum { REGEX_NO, REGEX_YES, REGEX_LIMIT /* it ran into a limit: not known */ } RegexAnswer;

/* `flags`: letters of `ims`. NULL: ERROR_INPUT with PCRE2's words and the place in the pattern. */
SigmaRegex *regex_new(const char *pattern, size_t length, const char *flags, Error *err);
SigmaRegex *regex_free(SigmaRegex *regex);
OWN_DEFINE(SigmaRegex, regex)
size_t regex_bytes(const SigmaRegex *regex); /* that it takes, machine code included */
RegexRoom *regex_room_new(void);
RegexRoom *regex_room_free(RegexRoom *room);
RegexAnswer regex_search(const SigmaRegex *regex, RegexRoom *room, const char *text, size_t length);

#endif
