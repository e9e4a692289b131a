/* What was decided about telling of each alert of a turn, and why, as rows for the turn's commit: what explains the
 * past. One that says what the last one of this alert in this group said is left out. Loop thread. */
#ifndef TOCSIN_ENGINE_DECISIONS_H
#define TOCSIN_ENGINE_DECISIONS_H

#include "engine/core.h"
#include "notify/turn.h"

enum { DECISIONS_KNOWN = 100000, DECISION_TEXT_MAX = 512 }; /* last ones that are remembered; bytes of a reason */

typedef struct Decisions Decisions;
Decisions *decisions_new(Core *core);
Decisions *decisions_free(Decisions *decisions);
OWN_DEFINE(Decisions, decisions)

/* When the turn begins: its instances and acknowledgements are borrowed no longer than that. Rows and texts live in
 * `arena`. */
size_t decisions_of_turn(
    Decisions *decisions, const GroupTurn *turn, const Route *route, Arena *arena, DecisionRow **ret_rows);
/* They were not written: the next turn says them again. */
void decisions_unsay(Decisions *decisions, const DecisionRow *rows, size_t count);
/* When its messages are made: the time of theirs; 0: no channel of the receiver took one. */
void decisions_date(DecisionRow *rows, size_t count, int64_t made_ms);

/* Why nothing is said of an alert now, beyond acknowledgements: the route's times, a silence, what inhibits it; NULL:
 * nothing holds it. Caller frees. */
char *decision_held_words(const Core *core, const Route *route, const Instance *instance, int64_t now_ms);

#endif
