/* A set while it is being built; for the sigma_*.c files that read documents. */
#ifndef TOCSIN_RULES_SIGMA_BUILDER_H
#define TOCSIN_RULES_SIGMA_BUILDER_H

#include "rules/sigma_inside.h"

/* What a correlation may call a rule: its name or its id. */
typedef struct SigmaName {
    UT_hash_handle hh;
    uint32_t number; /* NAME_BROKEN: it had problems; NAME_LEFT_OUT: another product's */
    Place at;
    char text[];
} SigmaName;
enum { NAME_BROKEN = UINT32_MAX, NAME_LEFT_OUT = UINT32_MAX - 1 };

typedef struct SigmaAlias {
    const char *alias, *rule, *field;
    Place at; /* of the rule's name */
    bool used;
} SigmaAlias;

/* A correlation whose rules are not looked up yet. */
typedef struct SigmaPending {
    uint32_t number; /* its own */
    SigmaCorrelation *correlation; /* in the set's arena, half made */
    const char *const *names; /* rule_count of them, as written; NULL: numbers are there already */
    const Place *places; /* of the names */
    SigmaAlias *aliases;
    size_t alias_count;
    bool generate;
    size_t rank; /* 0: over rules alone; else one more than the highest among its correlations */
    bool visiting;
    bool ranked;
} SigmaPending;

typedef struct SigmaFieldName SigmaFieldName;

struct SigmaBuilder {
    const SigmaOptions *options;
    Problems *problems;
    SigmaSet *set;
    size_t left_out;
    SigmaFieldName *field_names;
    SigmaName *names;
    SigmaPending *pending;
    size_t pending_count;
    size_t value_bytes; /* of the file being read */
    size_t regex_bytes;
};

/* Adds a rule; UINT32_MAX and a problem when there are too many. */
uint32_t builder_add(SigmaCompile *in, const SigmaRule *rule, const SigmaExpr *expr);
/* Registers name or id. A second of one name is a problem. `text` may be NULL. */
bool builder_name(SigmaCompile *in, const char *text, Place at, uint32_t number);
void builder_pend(SigmaBuilder *builder, SigmaPending pending);

/* One document: a rule or a correlation. False: problems. */
bool document_read(SigmaBuilder *builder, const Node *document);
/* The `correlation` map, without its rules looked up. False: problems. */
bool correlation_read(SigmaCompile *in, const Node *node, SigmaPending *ret_pending);
/* `timespan`, `timeframe`. False: a problem. */
bool timespan_read(SigmaCompile *in, const Node *node, int64_t *ret_seconds);
/* What `| count()` over the rule `base` means. */
void aggregation_pend(
    SigmaCompile *in, const SigmaAggregation *given, int64_t timespan_s, uint32_t base, uint32_t number);
/* Looks up every pending correlation's rules and ranks them. */
void correlations_resolve(SigmaBuilder *builder);

#endif
