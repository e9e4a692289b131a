/* Answers of GetInsightSummaries and of GetInsight. Holds: each id once, every text there and valid, impacts no less
 * than -1; the same again adds nothing. */
#include "fuzz.h"

#include "base/text.h"
#include "sources/xray_summaries.h"

#include <stdlib.h>
#include <string.h>

static void check_text(const char *text) {
    if (!text || !utf8_ok(text, strlen(text))) abort();
}

static void check_list(const InsightList *list) {
    for (size_t i = 0; i < list->count; i++) {
        const Insight *insight = &list->insights[i];
        if (!*insight->id || insight_list_find(list, insight->id) != insight) abort();
        check_text(insight->root_service);
        check_text(insight->root_type);
        check_text(insight->summary);
        check_text(insight->categories);
        check_text(insight->anomalous);
        if (insight->client_faults < -1 || insight->root_total < -1) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    OWN(insight_list) InsightList *list = insight_list_new();
    InsightList *one = insight_list_new();
    Error err = {0};
    const char *token = NULL;
    if (insight_list_add(list, (const char *)data, size, &token, &err) != (err.kind == ERROR_NONE)) abort();
    insight_list_add_one(one, (const char *)data, size, NULL);
    insight_list_join(list, one);
    check_list(list);
    const size_t count = list->count;
    insight_list_add(list, (const char *)data, size, &token, NULL);
    if (list->count != count) abort();
    check_list(list);
    return 0;
}
