/* Why an alert was told or not, and when it will be, in sentences for a person and as the facts they are made of. What
 * is past comes from history and from the decisions that were kept; what is to come, from the groups. Loop thread. */
#ifndef TOCSIN_CONTROL_EXPLAIN_VIEW_H
#define TOCSIN_CONTROL_EXPLAIN_VIEW_H

#include "engine/engine.h"

enum { EXPLAIN_TRANSITIONS = 20, EXPLAIN_DECISIONS = 50 };

typedef struct Explained {
    Engine *engine;
    const char *fingerprint;
    int64_t at_ms; /* 0: now */
    const json_t *transitions; /* as /v1/history lists them, newest first, up to that time */
    const DecisionTold *decisions; /* newest first, up to that time */
    size_t decision_count;
} Explained;

/* {"name","fingerprint","at","state","sentences","transitions","decisions","routes","next"}; NULL: nothing was ever
 * known of it. New reference. */
json_t *explain_json(const Explained *facts);

#endif
