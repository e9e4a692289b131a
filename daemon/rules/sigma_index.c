/* From values that rules insist on to those rules. A rule insists on a set of (field, value) pairs when no event
 * without one of them can meet it: of an `and` the part that fits the fewest events decides, of an `or` all parts
 * together. */
#include "base/alloc.h"
#include "rules/sigma_inside.h"

#include <stdlib.h>
#include <string.h>

enum { PINS_MAX = SIGMA_VALUES_MAX };

typedef struct Pin {
    uint32_t field;
    const SigmaGlob *glob;
} Pin;

typedef struct Pins {
    Pin *list;
    size_t count;
    size_t weight; /* how many events fit, by guess; SIZE_MAX: it insists on nothing */
} Pins;

/* How often one value of a field is met, by guess: what an event is called says most. */
static size_t weight_of(const SigmaSet *set, uint32_t field) {
    const char *name = set->fields[field].name;
    if (!strcmp(name, "eventName")) return 1;
    if (!strcmp(name, "errorCode") || !strcmp(name, "errorMessage")) return 2;
    if (!strcmp(name, "eventSource")) return 20;
    return 100;
}

static const Pins none = {.weight = SIZE_MAX};

static Pins pins_of_test(const SigmaSet *set, const SigmaTest *test) {
    const size_t needed = test->all ? 1 : test->count; /* one of `all` is as good as any */
    if (test->negated || test->field == FIELD_KEYWORDS || !needed || test->count < needed) return none;
    for (size_t i = 0; i < needed; i++) {
        const SigmaValue *value = &test->values[i];
        if (value->kind != VALUE_GLOB || value->glob.kind != GLOB_EXACT || value->has_number) return none;
    }
    Pins pins = {alloc_zeroed(needed, sizeof(Pin)), needed, needed * weight_of(set, test->field)};
    for (size_t i = 0; i < needed; i++) pins.list[i] = (Pin){test->field, &test->values[i].glob};
    return pins;
}

static Pins pins_of(const SigmaSet *set, const SigmaExpr *expr);

static Pins pins_of_all(const SigmaSet *set, const SigmaExpr *expr) {
    Pins best = none;
    for (size_t i = 0; i < expr->count; i++) {
        Pins pins = pins_of(set, expr->kids[i]);
        const bool better = pins.weight < best.weight;
        free(better ? best.list : pins.list);
        if (better) best = pins;
    }
    return best;
}

static Pins pins_of_any(const SigmaSet *set, const SigmaExpr *expr) {
    Pins all = {0};
    for (size_t i = 0; i < expr->count; i++) {
        const Pins pins = pins_of(set, expr->kids[i]);
        if (pins.weight == SIZE_MAX || all.count + pins.count > PINS_MAX) {
            free(pins.list);
            free(all.list);
            return none;
        }
        all.list = alloc_again(all.list, all.count + pins.count, sizeof *all.list);
        memcpy(all.list + all.count, pins.list, pins.count * sizeof *all.list);
        all.count += pins.count;
        all.weight += pins.weight;
        free(pins.list);
    }
    return all;
}

static Pins pins_of(const SigmaSet *set, const SigmaExpr *expr) {
    switch (expr->kind) {
    case EXPR_AND: return pins_of_all(set, expr);
    case EXPR_OR: return pins_of_any(set, expr);
    case EXPR_NOT: return none;
    case EXPR_TEST: return pins_of_test(set, expr->test);
    }
    return none;
}

/* The index's place of the field, made if there is room. SIZE_MAX: there is none. */
static size_t index_field(SigmaIndex *index, uint32_t field) {
    for (size_t i = 0; i < index->field_count; i++)
        if (index->fields[i].field == field) return i;
    if (index->field_count == INDEX_FIELDS_MAX) return SIZE_MAX;
    index->fields[index->field_count].field = field;
    return index->field_count++;
}

static void bucket_add(SigmaIndex *index, size_t at, const SigmaGlob *glob, uint32_t rule) {
    char *folded = alloc_zeroed(glob->length + 1, 1);
    SigmaBucket *bucket = NULL;
    for (size_t i = 0; i < glob->length; i++) folded[i] = fold_byte(glob->text[i]);
    HASH_FIND(hh, index->fields[at].table, folded, glob->length, bucket);
    if (!bucket) {
        bucket = alloc_zeroed(1, sizeof *bucket + glob->length + 1);
        bucket->length = glob->length;
        memcpy(bucket->text, folded, glob->length);
        HASH_ADD_KEYPTR(hh, index->fields[at].table, bucket->text, bucket->length, bucket);
    }
    free(folded);
    if (glob->length > index->longest) index->longest = glob->length;
    if (bucket->count && bucket->rules[bucket->count - 1] == rule) return;
    bucket->rules = alloc_again(bucket->rules, bucket->count + 1, sizeof *bucket->rules);
    bucket->rules[bucket->count++] = rule;
}

static bool rule_add(SigmaIndex *index, const Pins *pins, uint32_t rule) {
    for (size_t i = 0; i < pins->count; i++)
        if (index_field(index, pins->list[i].field) == SIZE_MAX) return false;
    for (size_t i = 0; i < pins->count; i++)
        bucket_add(index, index_field(index, pins->list[i].field), pins->list[i].glob, rule);
    return true;
}

void index_build(SigmaSet *set) {
    set->index.loose = alloc_zeroed(set->count, sizeof *set->index.loose);
    for (uint32_t rule = 0; rule < set->count; rule++) {
        if (!set->entries[rule].expr) continue;
        const Pins pins = pins_of(set, set->entries[rule].expr);
        if (pins.weight == SIZE_MAX || !rule_add(&set->index, &pins, rule))
            set->index.loose[set->index.loose_count++] = rule;
        free(pins.list);
    }
}

void index_free(SigmaIndex *index) {
    for (size_t i = 0; i < index->field_count; i++) {
        SigmaBucket *bucket, *next;
        HASH_ITER(hh, index->fields[i].table, bucket, next) {
            HASH_DEL(index->fields[i].table, bucket);
            free(bucket->rules);
            free(bucket);
        }
    }
    free(index->loose);
}
