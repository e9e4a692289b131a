/* A rule and an event: up to a zero byte the rule's detection as YAML, then the event as JSON. Holds: the index leaves
 * no rule out (the same rule, unindexed, gives the same answer), and a match twice is the same match. */
#include "fuzz.h"

#include "base/alloc.h"
#include "base/json.h"
#include "rules/sigma_set.h"

#include <stdlib.h>
#include <string.h>

static const SigmaOptions options;

/* The detection as a rule; `doubled`: not (not rule), which insists on nothing that an index could hold. */
static SigmaSet *set_of(const char *detection, bool doubled) {
    OWN(arena) Arena *nodes = arena_new();
    OWN(problems) Problems *all = problems_new();
    SigmaBuilder *builder = sigma_builder_new(&options, all);
    OWN(text) char *text = text_format("s: %s\ncondition: %s\n", detection, doubled ? "not (not s)" : "s");
    const Node *node = node_parse(nodes, nodes, "f", text, strlen(text), all);
    uint32_t number;
    if (node && node->kind == NODE_MAP) sigma_builder_detection(builder, "f", node, &number);
    return sigma_builder_finish(builder);
}

static size_t match(const SigmaSet *set, const json_t *event) {
    OWN(sigma_scratch) SigmaScratch *scratch = sigma_scratch_new(set);
    const uint32_t *numbers;
    const size_t first = sigma_set_match(set, event, scratch, &numbers);
    if (sigma_set_match(set, event, scratch, &numbers) != first) abort();
    return first;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *zero = memchr(data, '\0', size);
    if (!zero) return 0;
    OWN(text) char *detection = text_copy_length((const char *)data, (size_t)(zero - data));
    OWN(json) json_t *event = json_read((const char *)zero + 1, size - (size_t)(zero - data) - 1, NULL);
    OWN(sigma_set) SigmaSet *plain = set_of(detection, false), *doubled = set_of(detection, true);
    if (sigma_set_count(plain) != sigma_set_count(doubled)) abort();
    if (match(plain, event) != match(doubled, event)) abort();
    return 0;
}
