/* A compiled set and its scratch from inside: what sigma_set.c makes, sigma_index.c and sigma_match.c read. */
#ifndef TOCSIN_RULES_SIGMA_INSIDE_H
#define TOCSIN_RULES_SIGMA_INSIDE_H

#include "base/table.h"
#include "rules/sigma_expr.h"

enum { INDEX_FIELDS_MAX = 16 };

/* The rules that insist on one value of one field. */
typedef struct SigmaBucket {
    UT_hash_handle hh;
    uint32_t *rules;
    size_t count;
    size_t length;
    char text[]; /* folded */
} SigmaBucket;

typedef struct SigmaIndex {
    struct {
        uint32_t field;
        SigmaBucket *table;
    } fields[INDEX_FIELDS_MAX];
    size_t field_count;
    uint32_t *loose; /* rules that insist on nothing that could be looked up: always evaluated */
    size_t loose_count;
    size_t longest; /* bytes of the longest value */
} SigmaIndex;

typedef struct SigmaEntry {
    SigmaRule rule;
    const SigmaExpr *expr; /* NULL: a correlation */
} SigmaEntry;

struct SigmaSet {
    Arena *arena;
    SigmaEntry *entries;
    size_t count;
    SigmaField *fields;
    size_t field_count;
    SigmaRegex **regexes;
    size_t regex_count;
    SigmaIndex index;
};

void index_build(SigmaSet *set);
void index_free(SigmaIndex *index);

/* Where a field's values lie in the scratch, for the event of that stamp. */
typedef struct SigmaFound {
    uint32_t stamp;
    bool present; /* the key is there, whatever its value */
    size_t start, count;
} SigmaFound;

struct SigmaScratch {
    const SigmaSet *set;
    const json_t *event;
    uint32_t stamp; /* of the event; 0 is none */
    uint32_t rule; /* being evaluated */
    SigmaFound *found; /* by field; the last one holds every text of the event */
    const json_t **values;
    size_t value_count, value_room;
    uint32_t *seen; /* by rule: the stamp of the event it was evaluated for */
    uint32_t *matches;
    size_t match_count;
    char *folded; /* index.longest bytes */
    RegexRoom *room;
    size_t regex_limits; /* in this event */
    SigmaLimits limits;
};

/* The field's values in the scratch's event, looked up once; FIELD_KEYWORDS: every text. Indices stay good, pointers
 * into `values` only until the next call. */
const SigmaFound *event_find(SigmaScratch *scratch, uint32_t field);
bool expr_holds(SigmaScratch *scratch, const SigmaExpr *expr);
/* Does a value of `test` hold for this JSON value? For NULL, EXISTS, FIELD: no. */
bool value_holds(SigmaScratch *scratch, const SigmaValue *value, const json_t *subject);
/* Cuts a name at its dots, in the arena. */
SigmaField field_make(Arena *arena, const char *name);

#endif
