#include "aws/profile.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Entry {
    ProfileSection section;
    const char *name, *outer, *key, *value; /* outer NULL: not nested; key NULL: the section's own line */
    size_t line;
} Entry;

struct Profiles {
    char *text; /* guarded; the entries point into it */
    Entry *entries;
    size_t count, room;
};

typedef struct Reading {
    Profiles *into;
    ProfileKind kind;
    const char *file;
    size_t line;
    ProfileSection section;
    const char *name; /* NULL: before the first section */
    const char *outer; /* a key without value, under which indented lines nest */
    Error *err;
} Reading;

static bool wrong(Reading *reading, const char *what) {
    return error_set(reading->err, ERROR_INPUT, "%s, line %zu: %s", reading->file, reading->line, what);
}

static char *trim(char *text) {
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length && strchr(" \t\r", text[length - 1])) text[--length] = 0;
    return text;
}

static bool add(Reading *reading, const char *outer, const char *key, const char *value) {
    Profiles *into = reading->into;
    if (into->count == PROFILE_KEYS) return wrong(reading, "more than 20000 keys");
    if (into->count == into->room) {
        into->room = into->room ? into->room * 2 : 64;
        into->entries = alloc_again(into->entries, into->room, sizeof *into->entries);
    }
    into->entries[into->count++] = (Entry){reading->section, reading->name, outer, key, value, reading->line};
    return true;
}

static char *unquote(char *name) {
    const size_t length = strlen(name);
    if (length < 2 || (*name != '"' && *name != '\'') || name[length - 1] != *name) return name;
    name[length - 1] = 0;
    return name + 1;
}

static char *after_word(char *text, const char *word) {
    const size_t length = strlen(word);
    if (strncmp(text, word, length) != 0 || !text[length] || !strchr(" \t", text[length])) return NULL;
    return unquote(trim(text + length));
}

static bool read_section(Reading *reading, char *line) {
    static const struct {
        const char *word;
        ProfileSection section;
    } words[] = {{"profile", SECTION_PROFILE}, {"sso-session", SECTION_SSO_SESSION}, {"services", SECTION_SERVICES}};
    char *end = strchr(line, ']');
    if (!end) return wrong(reading, "`[` without `]`");
    *end = 0;
    char *text = trim(line + 1), *name = NULL;
    if (!*text) return wrong(reading, "a section without a name");
    reading->section = SECTION_OTHER;
    reading->outer = NULL;
    for (size_t i = 0; reading->kind == PROFILE_CONFIG && !name && i < COUNT_OF(words); i++) {
        name = after_word(text, words[i].word);
        if (name) reading->section = words[i].section;
    }
    if (!name) name = unquote(text);
    if (reading->kind == PROFILE_CREDENTIALS || (name == text && strcmp(text, "default") == 0))
        reading->section = SECTION_PROFILE;
    reading->name = name;
    return add(reading, NULL, NULL, NULL);
}

/* Other SDKs cut ` #` and ` ;` after a value, and no key of theirs holds blanks. */
static void cut_comment(char *value) {
    for (char *p = value; *p; p++)
        if ((*p == '#' || *p == ';') && (p == value || p[-1] == ' ' || p[-1] == '\t')) {
            *p = 0;
            return;
        }
}

static bool read_key(Reading *reading, char *line, bool indented) {
    char *separator = line + strcspn(line, "=:");
    const bool nested = indented && reading->outer;
    if (indented && !nested) return true; /* the rest of a value of several lines: none of the keys we read has one */
    if (!reading->name) return wrong(reading, "a key before the first [section]");
    if (!*separator) return wrong(reading, "neither [section] nor key = value");
    *separator = 0;
    char *key = trim(line), *value = separator + 1;
    cut_comment(value);
    value = trim(value);
    if (!*key) return wrong(reading, "a value without a key");
    for (char *p = key; *p; p++) *p = (char)tolower((unsigned char)*p);
    if (!nested) reading->outer = *value ? NULL : key;
    return add(reading, nested ? reading->outer : NULL, key, value);
}

static bool read_line(Reading *reading, char *line) {
    const bool indented = *line == ' ' || *line == '\t';
    char *text = trim(line);
    if (!*text || *text == '#' || *text == ';') return true;
    return *text == '[' && !indented ? read_section(reading, text) : read_key(reading, text, indented);
}

Profiles *profiles_free(Profiles *profiles) {
    if (!profiles) return NULL;
    guard_free(profiles->text);
    free(profiles->entries);
    free(profiles);
    return NULL;
}

/* Takes `text` (guarded, a zero byte behind). */
static Profiles *parse(ProfileKind kind, const char *file, char *text, size_t length, Error *err) {
    OWN(profiles) Profiles *half = alloc_zeroed(1, sizeof *half);
    half->text = text;
    Reading reading = {.into = half, .kind = kind, .file = file, .err = err};
    if (memchr(text, 0, length)) return error_set(err, ERROR_INPUT, "%s: it has a zero byte in it", file), NULL;
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) text += 3;
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = 0;
        reading.line++;
        if (!read_line(&reading, line)) return NULL;
    }
    return GIVE(half);
}

static char *guarded_room(size_t length) {
    char *room = guard_malloc(length + 1);
    if (!room) abort();
    return room;
}

Profiles *profiles_parse(ProfileKind kind, const char *file, const char *text, size_t length, Error *err) {
    if (length > PROFILE_FILE_MAX)
        return error_set(err, ERROR_INPUT, "%s: longer than %d bytes", file, PROFILE_FILE_MAX), NULL;
    char *copy = guarded_room(length);
    if (length) memcpy(copy, text, length);
    copy[length] = 0;
    return parse(kind, file, copy, length, err);
}

Profiles *profiles_read(ProfileKind kind, const char *file, Error *err) {
    const int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us */
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return profiles_parse(kind, file, "", 0, err);
    if (fd < 0) return error_set(err, ERROR_LOCAL, "%s: %s", file, strerror(errno)), NULL;
    char *text = guarded_room(PROFILE_FILE_MAX + 1);
    size_t length = 0;
    ssize_t got = 1;
    while (length <= PROFILE_FILE_MAX && (got = read(fd, text + length, PROFILE_FILE_MAX + 1 - length)) > 0)
        length += (size_t)got;
    const int failed = got < 0 ? errno : 0;
    close(fd);
    text[length] = 0;
    if (!failed && length <= PROFILE_FILE_MAX) return parse(kind, file, text, length, err);
    guard_free(text);
    if (failed) return error_set(err, ERROR_LOCAL, "%s: %s", file, strerror(failed)), NULL;
    return error_set(err, ERROR_INPUT, "%s: longer than %d bytes", file, PROFILE_FILE_MAX), NULL;
}

bool profiles_has(const Profiles *profiles, ProfileSection section, const char *name) {
    for (size_t i = 0; i < profiles->count; i++)
        if (profiles->entries[i].section == section && strcmp(profiles->entries[i].name, name) == 0) return true;
    return false;
}

static bool same(const char *a, const char *b) { return a && b ? strcmp(a, b) == 0 : a == b; }

static const Entry *find(
    const Profiles *profiles, ProfileSection section, const char *name, const char *outer, const char *key) {
    for (size_t i = profiles->count; i-- > 0;) { /* from the end: the last counts */
        const Entry *entry = &profiles->entries[i];
        if (entry->section == section && same(entry->key, key) && same(entry->outer, outer) &&
            strcmp(entry->name, name) == 0)
            return entry;
    }
    return NULL;
}

const char *profiles_get(
    const Profiles *profiles, ProfileSection section, const char *name, const char *outer, const char *key) {
    const Entry *entry = find(profiles, section, name, outer, key);
    return entry ? entry->value : NULL;
}

size_t profiles_line(const Profiles *profiles, ProfileSection section, const char *name, const char *key) {
    const Entry *entry = find(profiles, section, name, NULL, key);
    return entry ? entry->line : 0;
}
