/* A constant message to search for, and fields that vary; a Secret is hidden by its type. One call is one line:
 * LOG(INFO, "polled", KV("account", name), KV("datapoints", count)). Safe on every thread.
 * Control characters, DEL and bidi controls in a field become \xNN (I14). At most 5 lines a minute for the same message
 * and first field; what was held back is counted and told. */
#ifndef TOCSIN_BASE_LOG_H
#define TOCSIN_BASE_LOG_H

#include "base/secret.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR } LogLevel;
typedef enum { LOG_AUTO, LOG_TEXT, LOG_JSON, LOG_JOURNAL } LogFormat;

/* AUTO: the journal's protocol where stderr is the journal (JOURNAL_STREAM), text otherwise. The default is AUTO, INFO.
 */
void log_setup(LogFormat format, LogLevel level);
bool log_level_parse(const char *word, LogLevel *ret_level); /* debug info warning error */

typedef struct LogField {
    const char *key, *text;
    intmax_t number; /* where text is NULL */
} LogField;
static inline LogField kv_text(const char *key, const char *v) { return (LogField){key, v ? v : "", 0}; }
static inline LogField kv_number(const char *key, intmax_t v) { return (LogField){key, NULL, v}; }
static inline LogField kv_size(const char *key, size_t v) { return kv_number(key, (intmax_t)v); }
static inline LogField kv_secret(const char *key, const Secret *v) { return kv_text(key, v ? "[secret]" : "[none]"); }
#define KV(key, v) \
    _Generic((v),                                                                                                      \
        char *: kv_text,                                                                                               \
        const char *: kv_text,                                                                                         \
        int: kv_number,                                                                                                \
        int64_t: kv_number,                                                                                            \
        size_t: kv_size,                                                                                               \
        Secret *: kv_secret,                                                                                           \
        const Secret *: kv_secret)(key, v)
#define LOG(level, message, ...) log_write(LOG_##level, message, (const LogField[]){__VA_ARGS__ __VA_OPT__(, ){0}})
void log_write(LogLevel level, const char *message, const LogField *fields); /* ends at a field without a key */

#endif
