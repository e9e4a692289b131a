#include "ctl/backtest_csv.h"

#include "base/alloc.h"
#include "base/text.h"
#include "base/timetext.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_BYTES = 47 };
#define BLANKS " \t\r\n"

/* Blanks and one pair of quotes around a field go. */
static char *field_trim(char *field) {
    while (isspace((unsigned char)*field)) field++;
    size_t length = strlen(field);
    while (length > 0 && isspace((unsigned char)field[length - 1])) length--;
    if (length >= 2 && field[0] == '"' && field[length - 1] == '"') {
        field++;
        length -= 2;
    }
    field[length] = '\0';
    return field;
}

typedef enum { ROW_TAKEN, ROW_MISSING, ROW_WRONG } RowKind;

static RowKind row_parse(char *line, CsvRow *ret_row) {
    char *comma = strchr(line, ',');
    if (!comma) return ROW_WRONG;
    *comma = '\0';
    const char *time = field_trim(line), *value = field_trim(comma + 1);
    if (!time_parse(time, &ret_row->time_ms)) return ROW_WRONG;
    if (!*value || strcasecmp(value, "nan") == 0) return ROW_MISSING;
    return number_parse(value, &ret_row->value) ? ROW_TAKEN : ROW_WRONG;
}

static bool series_add(CsvSeries *series, size_t *room, CsvRow row, const char *name, Error *err) {
    if (series->count == CSV_ROWS_MAX)
        return error_set(err, ERROR_INPUT, "%s: more than %d rows (CSV_ROWS_MAX)", name, CSV_ROWS_MAX);
    if (series->count == *room) {
        *room = *room ? 2 * *room : 1024;
        series->rows = alloc_again(series->rows, *room, sizeof *series->rows);
    }
    series->rows[series->count++] = row;
    return true;
}

static bool line_take(CsvSeries *series, size_t *room, char *line, size_t number, const char *name, Error *err) {
    const char *begin = line + strspn(line, BLANKS);
    if (!*begin) return true;
    const bool may_be_header = number == 1 && !isdigit((unsigned char)begin[*begin == '"']);
    char shown[SHOWN_BYTES + 1];
    const size_t length = strcspn(line, "\r\n");
    snprintf(shown, sizeof shown, "%.*s", (int)utf8_cut(line, length, SHOWN_BYTES), line);
    CsvRow row;
    switch (row_parse(line, &row)) {
    case ROW_TAKEN: return series_add(series, room, row, name, err);
    case ROW_MISSING: return true;
    case ROW_WRONG: break;
    }
    if (may_be_header) return true;
    return error_set(err, ERROR_INPUT, "%s:%zu: `%s` is no row (a time, a comma, a number)", name, number, shown);
}

static int by_time(const void *left, const void *right) {
    const CsvRow *a = left, *b = right;
    if (a->time_ms != b->time_ms) return a->time_ms < b->time_ms ? -1 : 1;
    return 0;
}

static bool lines_take(CsvSeries *series, FILE *in, const char *name, Error *err) {
    char line[CSV_LINE_MAX];
    size_t room = 0;
    for (size_t number = 1; fgets(line, sizeof line, in); number++) {
        if (!strchr(line, '\n') && !feof(in))
            return error_set(err, ERROR_INPUT,
                "%s:%zu: the line is longer than %d bytes (CSV_LINE_MAX) or holds a zero byte", name, number,
                CSV_LINE_MAX);
        const bool marked = number == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0; /* a byte order mark */
        if (!line_take(series, &room, line + (marked ? 3 : 0), number, name, err)) return false;
    }
    if (ferror(in)) return error_set(err, ERROR_LOCAL, "%s: %s", name, strerror(errno));
    if (series->count == 0) return error_set(err, ERROR_INPUT, "%s: there is no row with a value", name);
    return true;
}

CsvSeries *csv_read(FILE *in, const char *name, Error *err) {
    OWN(csv) CsvSeries *series = alloc_zeroed(1, sizeof *series);
    if (!lines_take(series, in, name, err)) return NULL;
    qsort(series->rows, series->count, sizeof *series->rows, by_time);
    return GIVE(series);
}

CsvSeries *csv_free(CsvSeries *series) {
    if (!series) return NULL;
    free(series->rows);
    free(series);
    return NULL;
}
