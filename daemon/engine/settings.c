/* daemon/engine/settings.c */
#include "engine/settings.h"

#include "net/http.h"

#include <string.h>
#include <unistd.h>

static const SchemaRow url_row = {
    .key = "external_url",
    .type = SCHEMA_TEXT,
    .max = 2048,
    .remedy = "a URL such as https://tocsin.example.org",
    .doc = "The address that messages name as Tocsin's own.",
};

static const char *without_slash(Arena *arena, const char *url) {
    size_t length = strlen(url);
    while (length && url[length - 1] == '/') length--;
    return arena_text_length(arena, url, length);
}

static bool external_url_decode(Decoding *in, const Node *node, void *section) {
    ExternalUrl *external = section;
    if (node_is_null(node)) {
        char host[256] = "localhost";
        gethostname(host, sizeof host - 1);
        external->url = arena_format(in->arena, "http://%s", host);
        return true;
    }
    const char *url = NULL;
    if (!schema_read_value(&url_row, node, &url, in)) return false;
    Error err = {0};
    if (!url_ok(url, true, &err)) return problem_add(in->problems, node->at, url_row.remedy, "%s", err.text);
    external->url = without_slash(in->arena, url);
    return true;
}

const SectionDescriptor external_url_section = {
    .key = "external_url",
    .doc = "The address that messages name as Tocsin's own; default http://HOSTNAME.",
    .size = sizeof(ExternalUrl),
    .decode = external_url_decode,
};

static const char *const levels[] = {"debug", "info", "warning", "error", NULL};
static const char *const formats[] = {"auto", "text", "json", "journal", NULL};
static const SchemaRow log_rows[] = {
    {.key = "level",
        .type = SCHEMA_CHOICE,
        .offset = offsetof(LogSection, level),
        .choices = levels,
        .fallback = "info",
        .remedy = "debug, info, warning or error",
        .doc = "The least that is logged."},
    {.key = "format",
        .type = SCHEMA_CHOICE,
        .offset = offsetof(LogSection, format),
        .choices = formats,
        .fallback = "auto",
        .remedy = "auto, text, json or journal",
        .doc = "How a line looks; auto is the journal's own protocol under systemd and text elsewhere."},
    SCHEMA_END,
};

const SectionDescriptor log_section = {
    .key = "log",
    .doc = "What Tocsin says about itself, on standard error.",
    .size = sizeof(LogSection),
    .rows = log_rows,
};
