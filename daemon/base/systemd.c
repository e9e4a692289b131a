#include "base/systemd.h"

#include "base/alloc.h"
#include "base/own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

/* Status lines carry names from configurations: a line break in one must not become a field of its own. */
static char *one_line(const char *text) {
    char *line = text_copy(text);
    for (char *p = line; *p; p++) {
        if ((unsigned char)*p < 0x20) *p = ' ';
    }
    return line;
}

void systemd_ready(const char *status) {
    OWN(text) char *line = one_line(status);
    sd_notifyf(0, "READY=1\nSTATUS=%s", line);
}

void systemd_reloading(int64_t mono_us) { sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%jd", (intmax_t)mono_us); }

void systemd_stopping(void) { sd_notify(0, "STOPPING=1"); }

void systemd_status(const char *status) {
    OWN(text) char *line = one_line(status);
    sd_notifyf(0, "STATUS=%s", line);
}

void systemd_extend(int64_t ms) { sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%jd", (intmax_t)ms * 1000); }

void systemd_watchdog(void) { sd_notify(0, "WATCHDOG=1"); }

int64_t systemd_watchdog_ms(void) {
    uint64_t usec = 0;
    if (sd_watchdog_enabled(0, &usec) <= 0) return 0;
    return (int64_t)(usec / 1000 < INT32_MAX ? usec / 1000 : INT32_MAX);
}

int systemd_socket(int *ret_extra) {
    const int count = sd_listen_fds(0);
    int found = -1;
    *ret_extra = 0;
    for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count; fd++) {
        if (found < 0 && sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) > 0) {
            found = fd;
        } else {
            (*ret_extra)++;
        }
    }
    return found;
}

bool systemd_is_journal(int fd) {
    const char *stream = getenv("JOURNAL_STREAM"); /* DEVICE:INODE, systemd.exec(5) */
    struct stat about;
    unsigned long long device, inode;
    char rest;
    if (!stream || fstat(fd, &about) || sscanf(stream, "%llu:%llu%c", &device, &inode, &rest) != 2) return false;
    return about.st_dev == device && about.st_ino == inode;
}

bool systemd_journal_send(const char *const *fields, size_t count) {
    struct iovec parts[SYSTEMD_FIELDS];
    if (count > SYSTEMD_FIELDS) count = SYSTEMD_FIELDS;
    for (size_t i = 0; i < count; i++) {
        parts[i] = (struct iovec){.iov_base = (void *)(uintptr_t)fields[i], .iov_len = strlen(fields[i])};
    }
    return sd_journal_sendv(parts, (int)count) >= 0;
}
