#include "store/store_section.h"

#include <stdlib.h>
#include <string.h>

static const SchemaRow state_rows[] = {
    {.key = "directory",
        .type = SCHEMA_TEXT,
        .offset = offsetof(StateSection, directory),
        .min = 1,
        .max = 4000, /* PATH_MAX, less the names inside */
        .remedy = "a folder that the daemon may write to, on a local disk",
        .doc = "Where Tocsin keeps its state: what each alarm is, what people were told, and what they are owed. Made, "
               "for its owner alone, if its parent exists. When absent it is the first of $STATE_DIRECTORY, which "
               "systemd sets, else /var/lib/tocsin. A change needs a restart."},
    SCHEMA_END,
};

/* systemd separates several by colons. */
static const char *default_directory(Arena *arena) {
    const char *given = getenv("STATE_DIRECTORY");
    const size_t length = given ? strcspn(given, ":") : 0;
    return length > 0 ? arena_text_length(arena, given, length) : "/var/lib/tocsin";
}

static bool state_decode(Decoding *in, const Node *node, void *section) {
    (void)node;
    StateSection *state = section;
    state->directory = state->directory ? schema_path(state->directory, in) : default_directory(in->arena);
    return true;
}

const SectionDescriptor state_section = {
    .key = "state",
    .doc = "The state that survives a restart.",
    .size = sizeof(StateSection),
    .rows = state_rows,
    .decode = state_decode,
};

static const SchemaRow history_rows[] = {
    {.key = "keep",
        .type = SCHEMA_DURATION,
        .offset = offsetof(HistorySection, keep_s),
        .min = 3600,
        .max = 315360000,
        .fallback = "90d",
        .remedy = "a duration from 1h to 3650d",
        .doc = "How long the transitions of alarms are kept for tocsinctl history and /v1/history, and what was "
               "decided about "
               "telling of them for tocsinctl explain."},
    {.key = "max_rows",
        .type = SCHEMA_INTEGER,
        .offset = offsetof(HistorySection, max_rows),
        .min = 1000,
        .max = 100000000,
        .fallback = "1000000",
        .remedy = "a whole number from 1000 to 100000000",
        .doc = "How many transitions, and how many decisions, are kept at most, the newest; about 250 bytes each on "
               "disk. When the disk is full, "
               "older ones go earlier."},
    SCHEMA_END,
};

const SectionDescriptor history_section = {
    .key = "history",
    .doc = "How much of the past is kept.",
    .size = sizeof(HistorySection),
    .rows = history_rows,
};
