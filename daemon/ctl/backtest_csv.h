/* A CSV of samples, `timestamp,value`: what a backtest looks back over. Blocks on the file; the tool only. */
#ifndef TOCSIN_CTL_BACKTEST_CSV_H
#define TOCSIN_CTL_BACKTEST_CSV_H

#include "base/error.h"
#include "base/own.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { CSV_LINE_MAX = 512, CSV_ROWS_MAX = 5000000 };

typedef struct CsvRow {
    int64_t time_ms; /* UTC */
    double value;
} CsvRow;

typedef struct CsvSeries {
    CsvRow *rows; /* by time */
    size_t count;
} CsvSeries;

/* Reads `in`, called `name` in messages. A first line that is no row is a header; a row without a value (empty, NaN) is
 * missing data and left out. NULL: ERROR_INPUT with the line, also where no row is left; ERROR_LOCAL. */
CsvSeries *csv_read(FILE *in, const char *name, Error *err);
CsvSeries *csv_free(CsvSeries *series);
OWN_DEFINE(CsvSeries, csv)

#endif
