/* man/manual.c: writes a manual from its template. A line `.\" @keys SECTION@` becomes that section's keys, `@plugins@`
 * the keys of the plugins that come with Tocsin, `@verbs@` tocsinctl's verbs: from the tables that the programs
 * themselves work by, so that the two cannot part. */
#include "alarms/alarm.h"
#include "base/alloc.h"
#include "ctl/verb.h"
#include "load.h"
#include "plugin/module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const SectionDescriptor *find_section(const char *key) {
    for (size_t i = 0; load_schema.sections[i]; i++)
        if (!strcmp(load_schema.sections[i]->key, key)) return load_schema.sections[i];
    return NULL;
}

/* Sections that are lists keep their rows beside them. */
static const SchemaRow *find_rows(const char *key) {
    if (!strcmp(key, "alarms")) return alarm_rows;
    if (!strcmp(key, "alarms.metric")) return sources[0]->selector_rows;
    const SectionDescriptor *section = find_section(key);
    return section ? section->rows : NULL;
}

static bool write_keys(const char *section) {
    const SchemaRow *rows = find_rows(section);
    if (!rows) return fprintf(stderr, "manual: no section `%s`\n", section), false;
    schema_man(rows, stdout);
    return true;
}

/* mdoc takes a word that begins with a dot or a quote for a request, and a backslash for an escape. */
static void write_text(const char *text) {
    if (*text == '.' || *text == '\'') fputs("\\&", stdout);
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\e", stdout);
        else
            putchar(*text);
    }
}

static void write_sentences(const char *text) { /* a line a sentence */
    for (const char *stop; (stop = strstr(text, ". ")); text = stop + 2) {
        OWN(text) char *sentence = text_copy_length(text, (size_t)(stop - text) + 1);
        write_text(sentence);
        putchar('\n');
    }
    write_text(text);
    putchar('\n');
}

static bool write_plugins(const char *directory) {
    for (size_t i = 0; plugin_built_in[i]; i++) {
        Error err = {0};
        bool absent;
        const TocsinPlugin *plugin = plugin_load(directory, plugin_built_in[i], &absent, &err);
        if (!plugin) return fprintf(stderr, "manual: %s\n", err.text), false;
        printf(".It Cm %s\n.Bl -tag -width Ds -compact\n", plugin_built_in[i]);
        for (const TocsinKey *key = plugin->keys; key->name; key++) {
            if (strstr(key->type, "later")) continue;
            printf(".It Cm %s\n", key->name);
            write_sentences(key->doc);
            if (!strncmp(key->type, "required ", 9)) puts("Required.");
            if (key->fallback) printf("Default: %s.\n", key->fallback);
        }
        puts(".El");
    }
    return true;
}

static bool write_verbs(void) {
    for (size_t i = 0; ctl_verbs[i]; i++) {
        const CtlVerb *verb = ctl_verbs[i];
        printf(".It Ic %s", verb->name);
        if (*verb->arguments) printf(" %s", verb->arguments);
        putchar('\n');
        write_sentences(verb->help);
        if (!verb->options) continue;
        puts(".Bl -tag -width Ds -compact");
        for (const CtlOption *option = verb->options; option->name; option++) {
            printf(
                ".It Fl %s%s%s\n", option->name + 1, option->value ? " Ar " : "", option->value ? option->value : "");
            write_sentences(option->help);
        }
        puts(".El");
    }
    return true;
}

static bool expand(FILE *in, const char *plugins) {
    char line[4096], key[64];
    while (fgets(line, sizeof line, in)) {
        bool ok = true;
        if (sscanf(line, ".\\\" @keys %63[a-z._]@", key) == 1)
            ok = write_keys(key);
        else if (!strcmp(line, ".\\\" @plugins@\n"))
            ok = write_plugins(plugins);
        else if (!strcmp(line, ".\\\" @verbs@\n"))
            ok = write_verbs();
        else
            fputs(line, stdout);
        if (!ok) return false;
    }
    return true;
}

int main(int argc, char **argv) {
    FILE *in = argc == 3 ? fopen(argv[1], "r") : NULL;
    if (!in) {
        fprintf(stderr, "usage: manual TEMPLATE PLUGIN-DIRECTORY\n");
        return 2;
    }
    const bool ok = expand(in, argv[2]);
    fclose(in);
    return ok ? 0 : 1;
}
