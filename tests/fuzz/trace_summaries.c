/* Answers of GetTraceSummaries, as two pages. Holds: a page twice adds no trace, examples are among what was counted,
 * and what was scanned is a number. */
#include "fuzz.h"

#include "sources/xray_summaries.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    OWN(trace_count) TraceCount *count = trace_count_new();
    size_t before = 0;
    for (int turn = 0; turn < 2; turn++) {
        Error err = {0};
        const char *token = NULL;
        const bool fine = trace_count_add(count, (const char *)data, size, &token, &err);
        if (fine != (err.kind == ERROR_NONE) || (token && (!fine || !*token))) abort();
        if (turn && trace_count_traces(count) != before) abort();
        before = trace_count_traces(count);
    }
    size_t examples = 0;
    for (const char *id; (id = trace_count_example(count, examples)); examples++)
        if (!*id || strlen(id) > TRACE_ID_MAX) abort();
    if (examples != (before < TRACE_EXAMPLES ? before : TRACE_EXAMPLES)) abort();
    if (!(trace_count_scanned(count) >= 0 && isfinite(trace_count_scanned(count)))) abort();
    return 0;
}
