#include "config/schema.h"

#include "base/buffer.h"

#include <string.h>

enum { MANUAL_COLUMNS = 78 };

static void put_word(const char *word, size_t length, FILE *out) {
    for (size_t i = 0; i < length; i++) {
        if (word[i] == '\\')
            fputs("\\e", out);
        else
            fputc(word[i], out);
    }
}

static bool ends_sentence(const char *word, size_t length, const char *next) {
    return strchr(".!?", word[length - 1]) && *next >= 'A' && *next <= 'Z';
}

/* A dot or a quote that begins a line is a macro to mdoc(7), a backslash an escape; each sentence begins a line. */
void manual_text(const char *text, FILE *out) {
    size_t column = 0;
    for (text += strspn(text, " \n"); *text;) {
        const size_t length = strcspn(text, " \n");
        if (column && column + 1 + length > MANUAL_COLUMNS) {
            fputc('\n', out);
            column = 0;
        }
        if (column) fputc(' ', out);
        if (!column && (*text == '.' || *text == '\'')) fputs("\\&", out);
        put_word(text, length, out);
        column += length + 1;
        const char *next = text + length + strspn(text + length, " \n");
        if (*next && ends_sentence(text, length, next)) {
            fputc('\n', out);
            column = 0;
        }
        text = next;
    }
    fputc('\n', out);
}

static void put_line(const char *before, const char *text, const char *after, FILE *out) {
    char line[4096];
    snprintf(line, sizeof line, "%s%s%s", before, text, after);
    manual_text(line, out);
}

static void put_choices(const SchemaRow *row, FILE *out) {
    Buffer line = BUFFER(4096);
    buffer_text(&line, "One of:");
    for (size_t i = 0; row->choices[i]; i++) buffer_format(&line, "%s %s", i ? "," : "", row->choices[i]);
    buffer_text(&line, ".");
    manual_text(buffer_string(&line), out);
    buffer_deinit(&line);
}

void schema_man(const SchemaRow *rows, FILE *out) {
    for (const SchemaRow *row = rows; row->key; row++) {
        if (row->type == SCHEMA_LATER) continue;
        fprintf(out, ".It Cm %s\n", row->key);
        if (row->doc) put_line("", row->doc, "", out);
        if (row->type == SCHEMA_CHOICE) {
            put_choices(row, out);
        } else if (row->remedy) {
            put_line("Allowed: ", row->remedy, ".", out);
        }
        if (row->required) fputs("Required.\n", out);
        if (row->fallback) put_line("Default: ", row->fallback, ".", out);
        if (!row->rows) continue;
        fputs(".Bl -tag -width Ds\n", out);
        schema_man(row->rows, out);
        fputs(".El\n", out);
    }
}
