#include "rules/sigma_glob.h"

#include <ctype.h>
#include <string.h>

SigmaGlyphs glyphs_parse(Arena *arena, const char *text, size_t length) {
    uint16_t *glyphs = arena_alloc(arena, length, sizeof *glyphs);
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        const char c = text[i], next = i + 1 < length ? text[i + 1] : '\0';
        if (c == '\\' && (next == '\\' || next == '*' || next == '?')) {
            glyphs[count++] = (unsigned char)next;
            i++;
        } else {
            glyphs[count++] = c == '*' ? GLYPH_MANY : c == '?' ? GLYPH_ONE : (unsigned char)c;
        }
    }
    return (SigmaGlyphs){glyphs, count};
}

SigmaGlyphs glyphs_literal(Arena *arena, const char *bytes, size_t length) {
    uint16_t *glyphs = arena_alloc(arena, length, sizeof *glyphs);
    for (size_t i = 0; i < length; i++) glyphs[i] = (unsigned char)bytes[i];
    return (SigmaGlyphs){glyphs, length};
}

SigmaGlyphs glyphs_wrap(Arena *arena, SigmaGlyphs in, bool before, bool after) {
    uint16_t *glyphs = arena_alloc(arena, in.length + 2, sizeof *glyphs);
    size_t count = 0;
    if (before) glyphs[count++] = GLYPH_MANY;
    if (in.length) memcpy(glyphs + count, in.glyphs, in.length * sizeof *glyphs);
    count += in.length;
    if (after) glyphs[count++] = GLYPH_MANY;
    return (SigmaGlyphs){glyphs, count};
}

static bool is_word(uint16_t glyph) {
    return glyph == '_' || (glyph < 128 && isalnum(glyph)) || (glyph >= 128 && glyph < 256);
}

/* How many glyphs a dash takes at `at`: 1 for `-` and `/`, 3 for U+2013 to U+2015, 0 for anything else. */
static size_t dash_length(SigmaGlyphs in, size_t at) {
    const uint16_t *g = in.glyphs + at;
    if (*g == '-' || *g == '/') return 1;
    return at + 2 < in.length && g[0] == 0xe2 && g[1] == 0x80 && g[2] >= 0x93 && g[2] <= 0x95 ? 3 : 0;
}

SigmaGlyphs glyphs_windash(Arena *arena, SigmaGlyphs in) {
    uint16_t *glyphs = arena_alloc(arena, in.length, sizeof *glyphs);
    size_t count = 0;
    for (size_t i = 0; i < in.length;) {
        const size_t dash = dash_length(in, i);
        const bool inside = i > 0 && is_word(in.glyphs[i - 1]);
        const bool begins = dash && !inside && i + dash < in.length && is_word(in.glyphs[i + dash]);
        glyphs[count++] = begins ? GLYPH_DASH : in.glyphs[i];
        i += begins ? dash : 1;
    }
    return (SigmaGlyphs){glyphs, count};
}

char *glyphs_bytes(Arena *arena, SigmaGlyphs in, size_t *ret_length) {
    char *bytes = arena_alloc(arena, in.length + 1, 1);
    for (size_t i = 0; i < in.length; i++) {
        if (in.glyphs[i] >= 256) return NULL;
        bytes[i] = (char)in.glyphs[i];
    }
    *ret_length = in.length;
    return bytes;
}

SigmaGlob glob_make(Arena *arena, SigmaGlyphs in, bool cased) {
    size_t first = 0, last = in.length;
    while (first < last && in.glyphs[first] == GLYPH_MANY) first++;
    while (last > first && in.glyphs[last - 1] == GLYPH_MANY) last--;
    const bool before = first > 0, after = last < in.length;
    uint16_t *glyphs = arena_alloc(arena, in.length, sizeof *glyphs);
    bool plain = true;
    for (size_t i = 0; i < in.length; i++) {
        const uint16_t glyph = in.glyphs[i];
        glyphs[i] = glyph < 256 && !cased ? (unsigned char)fold_byte((char)glyph) : glyph;
        if (i >= first && i < last && glyph >= 256) plain = false;
    }
    if (!plain) return (SigmaGlob){.kind = GLOB_MIXED, .cased = cased, .glyphs = glyphs, .length = in.length};
    size_t length = 0;
    const char *text = glyphs_bytes(arena, (SigmaGlyphs){glyphs + first, last - first}, &length);
    const SigmaGlobKind kind = before && (after || first == in.length) ? GLOB_CONTAINS
        : before                                                       ? GLOB_SUFFIX
        : after                                                        ? GLOB_PREFIX
                                                                       : GLOB_EXACT;
    return (SigmaGlob){.kind = kind, .cased = cased, .text = text, .length = length};
}

static bool same_bytes(const SigmaGlob *glob, const char *text) {
    if (glob->cased) return !memcmp(glob->text, text, glob->length);
    for (size_t i = 0; i < glob->length; i++)
        if (glob->text[i] != fold_byte(text[i])) return false;
    return true;
}

static bool contains(const SigmaGlob *glob, const char *text, size_t length) {
    if (glob->cased) return memmem(text, length, glob->text, glob->length);
    if (!glob->length) return true;
    for (size_t i = 0; i + glob->length <= length; i++)
        if (fold_byte(text[i]) == glob->text[0] && same_bytes(glob, text + i)) return true;
    return false;
}

/* The bytes of the character at `text`, continuation bytes included. */
static size_t step_of(const char *text, size_t length) {
    size_t size = 1;
    while (size < length && size < 4 && ((unsigned char)text[size] & 0xc0) == 0x80) size++;
    return size;
}

/* How many bytes of the text the glyph takes; 0: it does not fit. */
static size_t glyph_fits(uint16_t glyph, bool cased, const char *text, size_t length) {
    if (!length) return 0;
    if (glyph < 256) return (unsigned char)(cased ? *text : fold_byte(*text)) == glyph;
    if (glyph == GLYPH_ONE) return step_of(text, length);
    if (*text == '-' || *text == '/') return 1;
    return length >= 3 && !memcmp(text, "\xe2\x80", 2) && (unsigned char)text[2] >= 0x93 &&
            (unsigned char)text[2] <= 0x95
        ? 3
        : 0;
}

/* Where something does not fit, only the last star is widened: an earlier one would leave it the same choice. */
static bool mixed(const SigmaGlob *glob, const char *text, size_t length) {
    size_t g = 0, t = 0, star = SIZE_MAX, resume = 0;
    while (t < length || g < glob->length) {
        if (g < glob->length && glob->glyphs[g] == GLYPH_MANY) {
            star = ++g;
            resume = t;
            if (g == glob->length) return true;
            continue;
        }
        const size_t taken = g < glob->length ? glyph_fits(glob->glyphs[g], glob->cased, text + t, length - t) : 0;
        if (taken) {
            t += taken;
            g++;
        } else if (star != SIZE_MAX && resume < length) {
            t = ++resume;
            g = star;
        } else {
            return false;
        }
    }
    return true;
}

bool glob_holds(const SigmaGlob *glob, const char *text, size_t length) {
    switch (glob->kind) {
    case GLOB_EXACT: return length == glob->length && same_bytes(glob, text);
    case GLOB_PREFIX: return length >= glob->length && same_bytes(glob, text);
    case GLOB_SUFFIX: return length >= glob->length && same_bytes(glob, text + length - glob->length);
    case GLOB_CONTAINS: return contains(glob, text, length);
    case GLOB_MIXED: return mixed(glob, text, length);
    }
    return false;
}

int glob_compare(const SigmaGlob *glob, const char *text, size_t length) {
    if (glob->length != length) return glob->length < length ? -1 : 1;
    for (size_t i = 0; i < length; i++) {
        const unsigned char a = (unsigned char)glob->text[i];
        const unsigned char b = (unsigned char)(glob->cased ? text[i] : fold_byte(text[i]));
        if (a != b) return a < b ? -1 : 1;
    }
    return 0;
}
