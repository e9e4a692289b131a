#include "rules/sigma_regex.h"

#include "base/alloc.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

struct SigmaRegex {
    pcre2_code *code;
};

struct RegexRoom {
    pcre2_match_context *limits;
    pcre2_match_data *data;
};

static uint32_t options_of(const char *flags) {
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;
    if (strchr(flags, 'i')) options |= PCRE2_CASELESS;
    if (strchr(flags, 'm')) options |= PCRE2_MULTILINE;
    if (strchr(flags, 's')) options |= PCRE2_DOTALL;
    return options;
}

static pcre2_code *compile(const char *pattern, size_t length, uint32_t options, Error *err) {
    pcre2_compile_context *bounds = pcre2_compile_context_create(NULL);
    if (!bounds) abort();
    pcre2_set_max_pattern_length(bounds, REGEX_PATTERN_MAX);
    pcre2_set_parens_nest_limit(bounds, REGEX_NEST_MAX);
    int code = 0;
    PCRE2_SIZE at = 0;
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)pattern, length, options, &code, &at, bounds);
    pcre2_compile_context_free(bounds);
    if (compiled) return compiled;
    char words[160];
    pcre2_get_error_message(code, (PCRE2_UCHAR *)words, sizeof words);
    return error_set(err, ERROR_INPUT, "%s, at character %zu", words, (size_t)at + 1), NULL;
}

SigmaRegex *regex_new(const char *pattern, size_t length, const char *flags, Error *err) {
    pcre2_code *code = compile(pattern, length, options_of(flags), err);
    if (!code) return NULL;
    size_t bytes = 0;
    pcre2_pattern_info(code, PCRE2_INFO_SIZE, &bytes);
    if (bytes > REGEX_COMPILED_MAX) {
        pcre2_code_free(code);
        return error_set(err, ERROR_INPUT, "it takes more than %d bytes when compiled", REGEX_COMPILED_MAX), NULL;
    }
    (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* refused without executable memory: then it is interpreted */
    SigmaRegex *regex = alloc_zeroed(1, sizeof *regex);
    regex->code = code;
    return regex;
}

size_t regex_bytes(const SigmaRegex *regex) {
    size_t bytes = 0, machine = 0;
    pcre2_pattern_info(regex->code, PCRE2_INFO_SIZE, &bytes);
    pcre2_pattern_info(regex->code, PCRE2_INFO_JITSIZE, &machine);
    return bytes + machine;
}

SigmaRegex *regex_free(SigmaRegex *regex) {
    if (!regex) return NULL;
    pcre2_code_free(regex->code);
    free(regex);
    return NULL;
}

RegexRoom *regex_room_new(void) {
    RegexRoom *room = alloc_zeroed(1, sizeof *room);
    room->limits = pcre2_match_context_create(NULL);
    room->data = pcre2_match_data_create(1, NULL);
    if (!room->limits || !room->data) abort();
    pcre2_set_match_limit(room->limits, REGEX_MATCH_MAX);
    pcre2_set_depth_limit(room->limits, REGEX_DEPTH_MAX);
    pcre2_set_heap_limit(room->limits, REGEX_HEAP_MAX_KIB);
    return room;
}

RegexRoom *regex_room_free(RegexRoom *room) {
    if (!room) return NULL;
    pcre2_match_data_free(room->data);
    pcre2_match_context_free(room->limits);
    free(room);
    return NULL;
}

RegexAnswer regex_search(const SigmaRegex *regex, RegexRoom *room, const char *text, size_t length) {
    const int found = pcre2_match(regex->code, (PCRE2_SPTR)text, length, 0, 0, room->data, room->limits);
    return found >= 0 ? REGEX_YES : found == PCRE2_ERROR_NOMATCH ? REGEX_NO : REGEX_LIMIT;
}
