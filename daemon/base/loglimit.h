/* Which log lines are too many: at most LOGLIMIT_LINES a minute for one message and first field; what was held back is
 * counted, to be told. Pure: the caller brings the time and the lock. */
#ifndef TOCSIN_BASE_LOGLIMIT_H
#define TOCSIN_BASE_LOGLIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LOGLIMIT_LINES = 5,
    LOGLIMIT_MINUTE_MS = 60000,
    LOGLIMIT_SLOTS = 256, /* different lines a minute; past it the oldest makes room and may say more */
    LOGLIMIT_FIELD = 64 /* bytes of the first field that tell two lines apart */
};

typedef struct LogSlot {
    const char *message; /* a literal; NULL: free */
    char field[LOGLIMIT_FIELD];
    int64_t since_ms; /* monotonic */
    size_t lines, held;
} LogSlot;

typedef struct LogLimit {
    LogSlot slots[LOGLIMIT_SLOTS];
} LogLimit;

/* May this line be written? `field` is the first field's text, "" where there is none. */
bool loglimit_take(LogLimit *limit, const char *message, const char *field, int64_t mono_ms);
/* A slot whose minute is over and that held lines back: copied into `ret_slot` and freed. False: there is none. */
bool loglimit_tell(LogLimit *limit, int64_t mono_ms, LogSlot *ret_slot);

#endif
