/* A CSV of samples. Holds: rows are sorted and finite, or there is an error. */
#include "fuzz.h"

#include "ctl/backtest_csv.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    FILE *in = fmemopen((void *)(uintptr_t)data, size, "r");
    if (!in) abort();
    Error err = {0};
    OWN(csv) CsvSeries *series = csv_read(in, "fuzz.csv", &err);
    fclose(in);
    if (!series != (err.kind != ERROR_NONE)) abort();
    for (size_t i = 0; series && i < series->count; i++) {
        if (!isfinite(series->rows[i].value)) abort();
        if (i > 0 && series->rows[i].time_ms < series->rows[i - 1].time_ms) abort();
    }
    return 0;
}
