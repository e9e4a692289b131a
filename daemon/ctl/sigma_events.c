#include "ctl/sigma_events.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/json.h"

#include <errno.h>
#include <string.h>

const char *const skip_words[SKIP_KINDS] = {"no JSON", "longer than 262144 bytes", "no CloudTrail event"};

typedef struct Reading {
    SigmaEventVisit *visit;
    void *ctx;
    SkipCounts *skipped;
    size_t line, taken;
} Reading;

static void skip(Reading *reading, SkipKind kind) {
    if (!reading->skipped->count[kind]++) reading->skipped->first_line[kind] = reading->line;
}

static void visit_event(Reading *reading, const json_t *event) {
    reading->taken++;
    reading->visit(reading->ctx, event, reading->line);
}

static bool is_event(const json_t *value) {
    static const char *const keys[] = {"eventName", "eventSource", "eventType", "eventID", "insightDetails"};
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (json_object_get(value, keys[i])) return true;
    return false;
}

static void take(Reading *reading, const json_t *value, bool inside);

static void take_list(Reading *reading, const json_t *list) {
    for (size_t i = 0; i < json_array_size(list); i++) take(reading, json_array_get(list, i), true);
}

static void take_text(Reading *reading, const char *text) {
    OWN(json) json_t *event = json_read(text, strlen(text), NULL);
    if (!event)
        skip(reading, SKIP_NO_JSON);
    else if (is_event(event))
        visit_event(reading, event);
    else
        skip(reading, SKIP_NO_EVENT);
}

/* An event, or what holds some; `inside`: of a list already, which holds no further list. */
static void take(Reading *reading, const json_t *value, bool inside) {
    const json_t *records = json_list(value, "Records"), *events = json_list(value, "Events");
    const json_t *detail = json_map(value, "detail");
    const char *text = json_text(value, "CloudTrailEvent");
    if (!inside && (records || events))
        take_list(reading, records ? records : events);
    else if (text)
        take_text(reading, text);
    else if (detail && is_event(detail))
        visit_event(reading, detail);
    else if (is_event(value))
        visit_event(reading, value);
    else
        skip(reading, SKIP_NO_EVENT);
}

static void take_line(Reading *reading, const char *line, size_t length) {
    OWN(json) json_t *value = json_read(line, length, NULL);
    if (value)
        take(reading, value, false);
    else
        skip(reading, SKIP_NO_JSON);
}

static bool is_blank(const char *line, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (!strchr(" \t\r\n", line[i])) return false;
    return true;
}

/* What was read ahead, then the rest of the file. */
typedef struct Input {
    FILE *in;
    Buffer head;
    size_t at;
} Input;

static int next_byte(Input *input) {
    return input->at < input->head.used ? (unsigned char)input->head.bytes[input->at++] : getc_unlocked(input->in);
}

/* One line into `line`, as far as it fits; its whole length. False at the end of the file. */
static bool next_line(Input *input, char *line, size_t *ret_length) {
    size_t length = 0;
    int c = next_byte(input);
    if (c == EOF) return false;
    for (; c != EOF && c != '\n'; c = next_byte(input)) {
        if (length < EVENT_LINE_MAX) line[length] = (char)c;
        length++;
    }
    *ret_length = length;
    return true;
}

static void read_lines(Input *input, Reading *reading) {
    OWN(text) char *line = alloc_zeroed(EVENT_LINE_MAX, 1);
    size_t length;
    while (next_line(input, line, &length)) {
        reading->line++;
        if (length > EVENT_LINE_MAX)
            skip(reading, SKIP_TOO_LONG);
        else if (!is_blank(line, length))
            take_line(reading, line, length);
    }
}

/* Does the file begin as a log file or an answer does, rather than with an event? Such a one may be one long line. */
static bool begins_document(const Buffer *head) {
    static const char *const keys[] = {"\"Records\"", "\"Events\"", "\"NextToken\""};
    const char *at = buffer_string(head);
    at += strspn(at, " \t\r\n");
    if (*at++ != '{') return false;
    at += strspn(at, " \t\r\n");
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (!strncmp(at, keys[i], strlen(keys[i]))) return true;
    return false;
}

/* To the end of the file, or `max` bytes. */
static void read_ahead(Input *input, size_t max) {
    char chunk[16384];
    size_t got = 1;
    while (got && input->head.used < max && !input->head.overflow) {
        const size_t left = max - input->head.used;
        got = fread(chunk, 1, left < sizeof chunk ? left : sizeof chunk, input->in);
        buffer_add(&input->head, chunk, got);
    }
}

/* The whole file as one value; else, as it may be such a value a line, line by line. */
static bool read_document(Input *input, Reading *reading, Error *err) {
    read_ahead(input, SIZE_MAX);
    if (input->head.overflow)
        return error_set(
            err, ERROR_INPUT, "is longer than %d bytes; one event a line has no such bound", EVENT_DOCUMENT_MAX);
    Error why = {0};
    OWN(json) json_t *document = json_read(input->head.bytes, input->head.used, &why);
    reading->line = document ? 1 : 0;
    if (document) return take(reading, document, false), true;
    read_lines(input, reading);
    return reading->taken || error_set(err, why.kind, "%s", why.text);
}

bool sigma_events_read(FILE *in, SigmaEventVisit *visit, void *ctx, SkipCounts *ret_skipped, Error *err) {
    enum { HEAD_BYTES = 64 };
    Reading reading = {.visit = visit, .ctx = ctx, .skipped = ret_skipped};
    Input input = {.in = in, .head = BUFFER(EVENT_DOCUMENT_MAX)};
    bool good = true;
    *ret_skipped = (SkipCounts){0};
    read_ahead(&input, HEAD_BYTES);
    if (begins_document(&input.head))
        good = read_document(&input, &reading, err);
    else
        read_lines(&input, &reading);
    buffer_deinit(&input.head);
    return !ferror(in) ? good : error_set(err, ERROR_LOCAL, "cannot be read: %s", strerror(errno));
}
