/* What systemd is told and gives: readiness, status, watchdog, sockets. Each is silent where systemd did not start us.
 */
#ifndef TOCSIN_BASE_SYSTEMD_H
#define TOCSIN_BASE_SYSTEMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void systemd_ready(const char *status);
void systemd_reloading(
    int64_t mono_us); /* RELOADING=1 with MONOTONIC_USEC; systemd_ready() must follow, on failure too */
void systemd_stopping(void);
void systemd_status(const char *status);
void systemd_extend(int64_t ms); /* EXTEND_TIMEOUT_USEC */
void systemd_watchdog(void);
int64_t systemd_watchdog_ms(void); /* WATCHDOG_USEC in ms; 0: none wanted */
/* A listening UNIX stream socket handed over by systemd, or -1. `*ret_extra`: how many others came with it. */
int systemd_socket(int *ret_extra);
bool systemd_is_journal(int fd); /* is fd the stream of JOURNAL_STREAM? */
enum { SYSTEMD_FIELDS = 32 };
/* One journal entry of at most SYSTEMD_FIELDS texts `KEY=value`; a value may hold line breaks. False: no journal took
 * it. */
bool systemd_journal_send(const char *const *fields, size_t count);

#endif
