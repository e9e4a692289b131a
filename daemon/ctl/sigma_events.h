/* Recorded CloudTrail events from a file, as people have them: one event a line; a log file ({"Records": [...]}); a
 * LookupEvents answer, with its events as texts; EventBridge's envelope. What is none of these is counted, not fatal.
 */
#ifndef TOCSIN_CTL_SIGMA_EVENTS_H
#define TOCSIN_CTL_SIGMA_EVENTS_H

#include "base/error.h"
#include "base/own.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum {
    EVENT_LINE_MAX = 256 << 10, /* bytes: CloudTrail's own bound of an event */
    EVENT_DOCUMENT_MAX = 64 << 20 /* bytes of a file that is one JSON document */
};

typedef enum { SKIP_NO_JSON, SKIP_TOO_LONG, SKIP_NO_EVENT, SKIP_KINDS } SkipKind;

typedef struct SkipCounts {
    size_t count[SKIP_KINDS];
    size_t first_line[SKIP_KINDS]; /* of that kind, from 1 */
} SkipCounts;

extern const char *const skip_words[SKIP_KINDS]; /* `no JSON` … */

/* Called for each event, in the file's order; `event` is borrowed. */
typedef void SigmaEventVisit(void *ctx, const json_t *event, size_t line);

/* Reads to the end. False: ERROR_INPUT, a document that is too long or no JSON; ERROR_LOCAL, it cannot be read. */
bool sigma_events_read(FILE *in, SigmaEventVisit *visit, void *ctx, SkipCounts *ret_skipped, Error *err);

#endif
