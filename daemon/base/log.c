#include "base/log.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/escape.h"
#include "base/json.h"
#include "base/loglimit.h"
#include "base/systemd.h"
#include "base/text.h"
#include "base/timetext.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LOG_FIELDS = 24, /* more are left out */
    LOG_VALUE = 2048, /* bytes of one field's value, before escaping */
    LOG_LINE = 64 * 1024, /* bytes of one line */
};

/* The log is the process's, as stderr is: its settings and what it held back are the one state that is not handed
 * around. */
static atomic_int log_format = LOG_AUTO, log_level = LOG_INFO;
static pthread_mutex_t limit_lock = PTHREAD_MUTEX_INITIALIZER;
static LogLimit limit;

static const char *const level_words[] = {"debug", "info", "warning", "error"};
static const char *const level_names[] = {"DEBUG", "INFO", "WARNING", "ERROR"};
static const int syslog_levels[] = {7, 6, 4, 3};

void log_setup(LogFormat format, LogLevel level) {
    atomic_store(&log_format, (int)format);
    atomic_store(&log_level, (int)level);
}

bool log_level_parse(const char *word, LogLevel *ret_level) {
    for (size_t i = 0; i < COUNT_OF(level_words); i++) {
        if (strcmp(word, level_words[i]) != 0) continue;
        *ret_level = (LogLevel)i;
        return true;
    }
    return false;
}

/* A field's text, cut to its bound; caller frees. */
static char *field_text(const LogField *field) {
    if (!field->text) return text_format("%jd", field->number);
    const size_t length = strlen(field->text), kept = utf8_cut(field->text, length, LOG_VALUE);
    OWN(text) char *start = text_copy_length(field->text, kept);
    return kept < length ? text_format("%s[%zu more bytes]", start, length - kept) : GIVE(start);
}

/* As it is where that is clear, else in quotes with `"` and `\` escaped. */
static void add_value(Buffer *line, const char *value) {
    if (*value && !strpbrk(value, " \"=\\")) {
        escape_control(line, value);
        return;
    }
    OWN(buffer) Buffer quoted = BUFFER(4 * LOG_VALUE);
    for (const char *p = value; *p; p++) {
        if (*p == '"' || *p == '\\') buffer_text(&quoted, "\\");
        buffer_add(&quoted, p, 1);
    }
    buffer_text(line, "\"");
    escape_control(line, buffer_string(&quoted));
    buffer_text(line, "\"");
}

static void add_text(Buffer *line, const char *message, const LogField *fields) {
    escape_control(line, message);
    for (size_t i = 0; fields[i].key && i < LOG_FIELDS; i++) {
        OWN(text) char *value = field_text(&fields[i]);
        buffer_format(line, " %s=", fields[i].key);
        add_value(line, value);
    }
}

static void add_json(Buffer *line, const char *now, LogLevel level, const char *message, const LogField *fields) {
    OWN(json)
    json_t *object =
        json_pack("{s:s, s:s, s:o}", "time", now, "level", level_words[level], "message", json_safe(message));
    for (size_t i = 0; fields[i].key && i < LOG_FIELDS; i++) {
        if (fields[i].text) {
            OWN(text) char *value = field_text(&fields[i]);
            json_object_set_new(object, fields[i].key, json_safe(value));
        } else {
            json_object_set_new(object, fields[i].key, json_integer(fields[i].number));
        }
    }
    char *text = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII); /* ASCII: bidi controls become \u escapes */
    if (!text) return;
    for (const char *p = text; *p; p++) {
        if (*p == 0x7f) /* JSON allows it, terminals obey it */
            buffer_text(line, "\\u007f");
        else
            buffer_add(line, p, 1);
    }
    json_free_t free_text;
    json_get_alloc_funcs(NULL, &free_text);
    free_text(text);
}

/* `TOCSIN_ACCOUNT=prod`; caller frees. */
static char *journal_field(const LogField *field) {
    OWN(text) char *value = field_text(field);
    OWN(text) char *entry = text_format("TOCSIN_%s=%s", field->key, value);
    for (char *p = entry; *p != '='; p++)
        *p = *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p == '-' || *p == '.' ? '_' : *p;
    return GIVE(entry);
}

static bool send_journal(LogLevel level, const char *message, const LogField *fields) {
    OWN(buffer) Buffer line = BUFFER(LOG_LINE);
    add_text(&line, message, fields);
    char *entries[LOG_FIELDS + 2] = {
        text_format("MESSAGE=%s", buffer_string(&line)), text_format("PRIORITY=%d", syslog_levels[level])};
    size_t count = 2;
    for (size_t i = 0; fields[i].key && i < LOG_FIELDS; i++) entries[count++] = journal_field(&fields[i]);
    const bool sent = systemd_journal_send((const char *const *)entries, count);
    for (size_t i = 0; i < count; i++) free(entries[i]);
    return sent;
}

/* One write a line, so that lines of several threads never mix. A log that cannot be written stops nobody. */
static void emit(LogLevel level, const char *message, const LogField *fields) {
    LogFormat format = (LogFormat)atomic_load(&log_format);
    if (format == LOG_AUTO) format = systemd_is_journal(STDERR_FILENO) ? LOG_JOURNAL : LOG_TEXT;
    if (format == LOG_JOURNAL && send_journal(level, message, fields)) return;
    char now[TIME_TEXT_MAX];
    time_format(clock_wall_ms(NULL), now);
    OWN(buffer) Buffer line = BUFFER(LOG_LINE);
    if (format == LOG_JSON) {
        add_json(&line, now, level, message, fields);
    } else {
        buffer_format(&line, "%s %s ", now, level_names[level]);
        add_text(&line, message, fields);
    }
    line.max++; /* the line's end always has room */
    line.overflow = false;
    buffer_text(&line, "\n");
    ssize_t written;
    do { written = write(STDERR_FILENO, line.bytes, line.used); } while (written < 0 && errno == EINTR);
}

static void tell_held(int64_t now_ms) {
    LogSlot held;
    for (;;) {
        pthread_mutex_lock(&limit_lock);
        const bool some = loglimit_tell(&limit, now_ms, &held);
        pthread_mutex_unlock(&limit_lock);
        if (!some) return;
        emit(LOG_INFO, "log lines were held back",
            (const LogField[]){KV("message_held", held.message), KV("first_field", (const char *)held.field),
                KV("lines", held.held), {0}});
    }
}

void log_write(LogLevel level, const char *message, const LogField *fields) {
    if ((int)level < atomic_load(&log_level)) return;
    const int64_t now_ms = clock_mono_ms(NULL);
    tell_held(now_ms);
    OWN(text) char *first = fields[0].key ? field_text(&fields[0]) : text_copy("");
    pthread_mutex_lock(&limit_lock);
    const bool may = loglimit_take(&limit, message, first, now_ms);
    pthread_mutex_unlock(&limit_lock);
    if (may) emit(level, message, fields);
}
