/* Text for a person at a terminal: harmless, aligned, in colour where that helps; times as they were and as how long
 * ago. */
#ifndef TOCSIN_CTL_PEOPLE_H
#define TOCSIN_CTL_PEOPLE_H

#include "base/json.h"
#include "ctl/verb.h"

typedef enum { PAINT_NONE, PAINT_RED, PAINT_GREEN, PAINT_YELLOW, PAINT_DIM, PAINT_BOLD } Paint;

/* A copy without control characters, those of terminals included (I14); NULL gives "". Caller frees. */
char *people_clean(const char *text);
/* Who runs this, by name, or by number where it has none. Caller frees. */
char *people_user(void);
/* Columns that a terminal gives the text: 2 for wide characters, 0 for combining ones. */
size_t people_width(const char *text);
/* `2026-01-02 03:04:05Z (5m ago)` of an RFC 3339 text; `-` for NULL; a time to come: `(in 5m)`. Caller frees. */
char *people_when(const Clock *clock, const char *time);
/* A JSON number to six digits (--json has them all), `-` for null. Caller frees. */
char *people_number(const json_t *value);
Paint people_state_paint(const char *state);
/* Writes the text, painted if `colour`. */
void people_paint(FILE *out, bool colour, Paint paint, const char *text);

/* A table: heads, then rows of cells. The last column is not padded. */
typedef struct Table Table;
Table *table_new(const char *const *heads); /* ends at NULL; borrowed */
Table *table_free(Table *table);
OWN_DEFINE(Table, table)
void table_cell(Table *table, Paint paint, const char *text); /* the next cell, cleaned and copied; NULL: `-` */
void table_cell_take(Table *table, Paint paint, char *take_text); /* likewise; an empty one stays empty */
void table_print(const Table *table, FILE *out, bool colour);

#endif
