/* What is wrong with a YAML file before its values can be looked at: bytes that are no text, and libyaml's complaints
 * in words that say what to do. For node.c alone. */
#ifndef TOCSIN_CONFIG_SYNTAX_H
#define TOCSIN_CONFIG_SYNTAX_H

#include "base/problems.h"

#include <yaml.h>

typedef struct Source {
    const char *file;
    const char *text; /* behind a byte order mark; borrowed */
    size_t length;
    Place last; /* its last character: the end of a file is told there */
} Source;

/* Checks size and characters. False: a problem was added. */
bool source_open(Source *source, const char *file, const char *text, size_t length, Problems *all);
/* From libyaml's line and column (from 0, in characters), never behind the end of the file. */
Place source_place(const Source *source, size_t line, size_t column);
/* Adds the problem that the parser stopped at; always false. */
bool syntax_problem(const yaml_parser_t *parser, const Source *source, Problems *all);

#endif
