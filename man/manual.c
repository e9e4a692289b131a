/* man/manual.c: writes a manual from its template. A line `.\" @keys SECTION@` becomes that section's keys, `@plugins@`
 * the keys of the plugins that come with Tocsin, `@plugin NAME@` those of one, `@verbs@` tocsinctl's verbs: from the
 * tables that the programs themselves work by, so that the two cannot part. */
#include "ctl/verb.h"
#include "plugin/module.h"
#include "tables.h"

#include <stdio.h>

static bool write_keys(const char *section) {
    const SchemaRow *rows = table_rows(section);
    if (!rows) return fprintf(stderr, "manual: no section `%s`\n", section), false;
    schema_man(rows, stdout);
    return true;
}

/* `choice plain login`: what may stand there. */
static void write_choices(const char *type) {
    if (strncmp(type, "choice ", 7) != 0) return;
    fputs("One of:", stdout);
    for (const char *p = type + 7; *p; p += strcspn(p, " ") + (p[strcspn(p, " ")] == ' ')) {
        fputs(p == type + 7 ? "\n.Cm " : " ,\n.Cm ", stdout);
        fwrite(p, 1, strcspn(p, " "), stdout);
    }
    puts(" .");
}

static bool write_plugin(const char *directory, const char *name) {
    Error err = {0};
    bool absent;
    const TocsinPlugin *plugin = plugin_load(directory, name, &absent, &err);
    if (!plugin) return fprintf(stderr, "manual: %s\n", err.text), false;
    for (const TocsinKey *key = plugin->keys; key->name; key++) {
        if (strstr(key->type, "later")) continue;
        printf(".It Cm %s\n", key->name);
        manual_text(key->doc, stdout);
        write_choices(key->type);
        if (!strncmp(key->type, "required ", 9)) puts("Required.");
        if (key->fallback) printf("Default: %s.\n", key->fallback);
    }
    return true;
}

static bool write_plugins(const char *directory) {
    for (size_t i = 0; plugin_built_in[i]; i++) {
        printf(".It Cm %s\n.Bl -tag -width Ds -compact\n", plugin_built_in[i]);
        if (!write_plugin(directory, plugin_built_in[i])) return false;
        puts(".El");
    }
    return true;
}

static bool write_verbs(void) {
    for (size_t i = 0; ctl_verbs[i]; i++) {
        const CtlVerb *verb = ctl_verbs[i];
        printf(".It Ic %s", verb->name);
        for (const char *p = verb->arguments; *p; p++) {
            if (p == verb->arguments) fputs(" No \"", stdout);
            putchar(*p);
            if (!p[1]) putchar('"');
        }
        putchar('\n');
        manual_text(verb->help, stdout);
        if (!verb->options) continue;
        puts(".Bl -tag -width Ds -compact");
        for (const CtlOption *option = verb->options; option->name; option++) {
            printf(
                ".It Fl %s%s%s\n", option->name + 1, option->value ? " Ar " : "", option->value ? option->value : "");
            manual_text(option->help, stdout);
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
        else if (sscanf(line, ".\\\" @plugin %63[a-z]@", key) == 1)
            ok = write_plugin(plugins, key);
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
