/* What is logged: fields, with bars between them, in each form; the message is ours and constant, as the log demands.
 * Holds: one call is one line of bounded length; as text it is UTF-8 without a control character or a change of
 * direction, and its values give back what was logged; as JSON it is one object with the fields as they were. */
#include "fuzz.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/escape.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MESSAGE "a message"
enum { FIELDS_MAX = 8, LINE_BYTES_MAX = 64 * 1024 + 1, VALUE_MAX = 2048, INPUT_MAX = 8192 };

/* Logs while standard error is a file of memory; what was written. Caller frees. */
static char *logged(LogFormat format, const LogField *fields) {
    static int kept = -1, file = -1;
    if (file < 0) {
        kept = dup(STDERR_FILENO);
        file = memfd_create("log", 0);
    }
    log_setup(format, LOG_INFO);
    if (ftruncate(file, 0) || lseek(file, 0, SEEK_SET) || dup2(file, STDERR_FILENO) < 0) abort();
    log_write(LOG_WARNING, MESSAGE, fields);
    if (dup2(kept, STDERR_FILENO) < 0) abort();
    const off_t size = lseek(file, 0, SEEK_CUR);
    char *line = alloc_zeroed((size_t)size + 1, 1);
    if (pread(file, line, (size_t)size, 0) != size) abort();
    return line;
}

/* Up to its end, which it must have, and only one. */
static void check_line(char *line) {
    const size_t length = strlen(line);
    if (!length || length > LINE_BYTES_MAX || line[length - 1] != '\n') abort();
    line[length - 1] = 0;
    if (has_control(line)) abort();
}

static unsigned hex_of(char c) { return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a') + 10; }

/* The value that begins here, its escapes undone; `*ret_end` is behind it. Caller frees. */
static char *value_at(const char *at, const char **ret_end) {
    Buffer out = BUFFER((size_t)LINE_BYTES_MAX);
    const bool is_quoted = *at == '"';
    for (at += is_quoted; *at && *at != (is_quoted ? '"' : ' '); at++) {
        char byte = *at;
        if (byte == '\\' && at[1] == 'x') {
            byte = (char)(hex_of(at[2]) << 4 | hex_of(at[3]));
            at += 3;
        } else if (byte == '\\') {
            byte = *++at;
        }
        buffer_add(&out, &byte, 1);
    }
    if (is_quoted && *at++ != '"') abort();
    *ret_end = at;
    return buffer_take(&out);
}

static void check_text(char *line, const LogField *fields, size_t count) {
    check_line(line);
    OWN(buffer) Buffer again = BUFFER((size_t)4 * LINE_BYTES_MAX);
    escape_control(&again, line);
    if (!utf8_ok(line, strlen(line)) || strcmp(buffer_string(&again), line) != 0) abort(); /* nothing is left to do */
    const char *at = line + strlen("2026-01-02T03:04:05.678Z"), *head = " WARNING " MESSAGE;
    if (strncmp(at, head, strlen(head)) != 0) abort();
    at += strlen(head);
    for (size_t i = 0; i < count; i++) {
        OWN(text) char *key = text_format(" %s=", fields[i].key);
        if (strncmp(at, key, strlen(key)) != 0) abort();
        OWN(text) char *value = value_at(at + strlen(key), &at);
        OWN(text) char *number = text_format("%jd", fields[i].number);
        const char *want = fields[i].text ? fields[i].text : number;
        if (strlen(want) <= VALUE_MAX && strcmp(value, want) != 0) abort();
    }
    if (*at) abort();
}

static void check_json(char *line, const LogField *fields, size_t count) {
    check_line(line);
    for (const char *p = line; *p; p++)
        if ((unsigned char)*p >= 0x7f) abort();
    OWN(json) json_t *object = json_read(line, strlen(line), NULL);
    if (!json_is_object(object) || json_object_size(object) != 3 + count) abort();
    for (size_t i = 1; i < count; i++) {
        const char *text = fields[i].text, *got = json_text(object, fields[i].key);
        if (!got) abort();
        if (utf8_ok(text, strlen(text)) && strlen(text) <= VALUE_MAX && strcmp(got, text) != 0) abort();
    }
}

/* Cuts the text at its next bar; what stands behind, or NULL. */
static char *cut(char *text) {
    char *bar = strchr(text, '|');
    if (!bar) return NULL;
    *bar = 0;
    return bar + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const names[FIELDS_MAX] = {"calls", "one", "two", "three", "four", "five", "six", "seven"};
    static int64_t calls;
    if (size > INPUT_MAX) return 0;
    OWN(text) char *text = text_copy_length((const char *)data, size);
    LogField fields[FIELDS_MAX + 1] = {KV("calls", calls++)}; /* another line each time: nothing is held back */
    size_t count = 1;
    for (char *next = text; next && count < FIELDS_MAX; count++) {
        fields[count] = (LogField){names[count], next, 0};
        next = cut(next);
    }
    OWN(text) char *plain = logged(LOG_TEXT, fields);
    check_text(plain, fields, count);
    fields[0].number = calls++;
    OWN(text) char *json = logged(LOG_JSON, fields);
    check_json(json, fields, count);
    return 0;
}
