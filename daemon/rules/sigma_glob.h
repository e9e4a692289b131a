/* A Sigma value as text with wildcards: read with the specification's escapes, changed by modifiers glyph by glyph,
 * then made into the cheapest form that matches the same. Case is ignored in ASCII alone: other letters are compared
 * byte by byte. For the sigma_*.c files and their tests; pure. Source: Sigma Rules Specification 2.0, "String
 * Wildcard", "Escaping". */
#ifndef TOCSIN_RULES_SIGMA_GLOB_H
#define TOCSIN_RULES_SIGMA_GLOB_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A glyph below 256 is a byte; these stand for more. */
enum { GLYPH_ONE = 256 /* `?`: one character */, GLYPH_MANY /* `*` */, GLYPH_DASH /* windash: - / and three dashes */ };

typedef struct SigmaGlyphs {
    const uint16_t *glyphs;
    size_t length;
} SigmaGlyphs;

SigmaGlyphs glyphs_parse(Arena *arena, const char *text, size_t length);
SigmaGlyphs glyphs_literal(Arena *arena, const char *bytes, size_t length); /* no wildcard, no escape */
SigmaGlyphs glyphs_wrap(Arena *arena, SigmaGlyphs glyphs, bool before, bool after); /* `*` at its ends */
/* A dash or slash that begins a word becomes any of `-`, `/`, U+2013, U+2014, U+2015. */
SigmaGlyphs glyphs_windash(Arena *arena, SigmaGlyphs glyphs);
/* The bytes that it stands for, in the arena; NULL where a wildcard is among them. */
char *glyphs_bytes(Arena *arena, SigmaGlyphs glyphs, size_t *ret_length);

typedef enum { GLOB_EXACT, GLOB_PREFIX, GLOB_SUFFIX, GLOB_CONTAINS, GLOB_MIXED } SigmaGlobKind;

typedef struct SigmaGlob {
    SigmaGlobKind kind;
    bool cased;
    const char *text; /* all but GLOB_MIXED; folded unless cased */
    const uint16_t *glyphs; /* GLOB_MIXED; folded likewise */
    size_t length; /* of text or glyphs */
} SigmaGlob;

SigmaGlob glob_make(Arena *arena, SigmaGlyphs glyphs, bool cased);
bool glob_holds(const SigmaGlob *glob, const char *text, size_t length);
/* Order of GLOB_EXACT by length and bytes, for sorting and searching; `text` is folded as `glob` wants it. */
int glob_compare(const SigmaGlob *glob, const char *text, size_t length);

static inline char fold_byte(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }

#endif
