#include "config/schema.h"

#include <string.h>

/* Text for mdoc(7): a backslash is an escape there, and a dot or a quote that begins a line a macro. */
static void put_text(const char *text, FILE *out) {
    if (*text == '.' || *text == '\'') fputs("\\&", out);
    for (; *text; text++) {
        if (*text == '\\') {
            fputs("\\e", out);
        } else {
            fputc(*text, out);
        }
        if (*text == '\n' && (text[1] == '.' || text[1] == '\'')) fputs("\\&", out);
    }
}

static void put_line(const char *before, const char *text, const char *after, FILE *out) {
    fputs(before, out);
    put_text(text, out);
    fprintf(out, "%s\n", after);
}

static void put_choices(const SchemaRow *row, FILE *out) {
    fputs("One of:", out);
    for (size_t i = 0; row->choices[i]; i++) {
        fputs(i ? ", " : " ", out);
        put_text(row->choices[i], out);
    }
    fputs(".\n", out);
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
