/* A text as matchers and as a duration. Holds: a fault lies in the text and has a remedy, what is taken is shown as a
 * text and a JSON that read back the same, matching is bounded and gives one answer, durations are in range. */
#include "fuzz.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timetext.h"
#include "rules/matcher.h"

#include <stdlib.h>
#include <string.h>

static void check_fault(const char *text, const Fault *fault) {
    if (!fault->column || !fault->remedy || !fault->what[0]) abort();
    if (fault->column > strlen(text) + 1) abort();
}

static void check_shown(const Matchers *list) {
    OWN(matchers) Matchers *again = matchers_new(), *from_json = matchers_new();
    OWN(text) char *shown = matchers_text(list);
    OWN(json) json_t *json = matchers_json(list);
    const bool fits = strlen(shown) <= MATCHER_TEXT_MAX; /* each backslash needs another */
    if (fits && (!matchers_add_text(again, shown, NULL) || !matchers_equal(list, again))) abort();
    if (!matchers_add_json(from_json, json, NULL) || !matchers_equal(list, from_json)) abort();
}

static void check_match(const Matchers *list) {
    const Label pairs[] = {{"a", "b"}, {"env", "prod"}, {"alertname", "xxxxxxxxxxxxxxxxxxxxxxxx"}};
    OWN(labels) Labels *labels = labels_new(pairs, COUNT_OF(pairs));
    unsigned limits = 0;
    const bool matched = matchers_match(list, labels, &limits);
    if (matched != matchers_match(list, labels, NULL) || limits > 1 || (limits && matched)) abort();
    matchers_match_empty(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    OWN(text) char *text = text_copy_length((const char *)data, size);
    OWN(matchers) Matchers *list = matchers_new();
    Fault fault = {0};
    if (matchers_add_text(list, text, &fault)) {
        check_shown(list);
        check_match(list);
    } else {
        check_fault(text, &fault);
        if (matchers_count(list)) abort();
    }
    int64_t seconds = 0;
    char shown[TIME_TEXT_MAX];
    if (duration_parse(text, &seconds) && (seconds < 0 || !*duration_format(seconds, shown))) abort();
    return 0;
}
