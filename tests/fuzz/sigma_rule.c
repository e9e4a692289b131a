/* A Sigma rule file's bytes. Holds: a set comes out, with a problem where a document gave no rule, and nothing trips
 * over it: not a match, not the question for read-only events, not a correlator. */
#include "fuzz.h"

#include "base/json.h"
#include "rules/sigma_correlator.h"

#include <stdlib.h>

static const char *const values[] = {"alice", "b*"};
static const SigmaPlaceholder placeholders[] = {{"admins", values, 2}};
static const SigmaOptions options = {.placeholders = placeholders, .placeholder_count = 1, .timespan_s = 60};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    OWN(problems) Problems *all = problems_new();
    SigmaBuilder *builder = sigma_builder_new(&options, all);
    const bool good = sigma_builder_text(builder, "f", (const char *)data, size);
    if (!good != (problems_errors(all) > 0)) abort();
    OWN(sigma_set) SigmaSet *set = sigma_builder_finish(builder);
    if (good && !sigma_set_count(set)) abort();
    OWN(sigma_scratch) SigmaScratch *scratch = sigma_scratch_new(set);
    OWN(sigma_correlator) SigmaCorrelator *correlator = sigma_correlator_new(set, 60);
    OWN(json) json_t *event = json_pack("{s:s, s:{s:s}, s:[i, n, b]}", "a", "alice", "b", "c", "x", "n", 5, 1);
    const uint32_t *numbers;
    const SigmaFired *fired;
    bool reads = false;
    const size_t count = sigma_set_match(set, event, scratch, &numbers);
    for (size_t i = 0; i < count; i++)
        if (numbers[i] >= sigma_set_count(set) || (i && numbers[i] <= numbers[i - 1])) abort();
    sigma_correlator_feed(correlator, event, 0, "1", numbers, count, &fired);
    for (uint32_t i = 0; i < sigma_set_count(set); i++) {
        if (!sigma_set_rule(set, i)->title) abort();
        reads = sigma_rule_reads(set, i) || reads;
    }
    if (sigma_set_reads(set) && !reads) abort();
    json_decref(problems_json(all));
    return 0;
}
