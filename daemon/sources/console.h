/* Links into the AWS console: its hosts, and the grammar in which its pages take their parameters. */
#ifndef TOCSIN_SOURCES_CONSOLE_H
#define TOCSIN_SOURCES_CONSOLE_H

#include "base/buffer.h"

#include <stdint.h>

enum {
    CONSOLE_URL_MAX = 64 << 10,
    CONSOLE_GRAPH_BEFORE_MS = 3 * 3600 * 1000, /* what a graph shows around a time */
    CONSOLE_GRAPH_AFTER_MS = 3600 * 1000
};

/* `https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#` */
void console_begin(Buffer *out, const char *region);
/* `~'` and a string of that grammar: all but letters, digits, `_`, `-` and `.` is escaped. */
void console_string(Buffer *out, const char *text);
void console_time(Buffer *out, int64_t wall_ms); /* the same for a time, RFC 3339 */
/* The end of a link to a graph of metrics, behind the list of them: how and where it is shown, around that time. */
void console_graph_end(Buffer *out, const char *region, int64_t at_ms);

#endif
