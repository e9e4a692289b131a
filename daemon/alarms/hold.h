/* What stands between an evaluation and what people are told: `for` and `keep_firing_for`, flap detection, a
 * composite's suppressor. An instance's memory of the three; it is kept with the instance's row. Pure but for memory.
 */
#ifndef TOCSIN_ALARMS_HOLD_H
#define TOCSIN_ALARMS_HOLD_H

#include "rules/flap.h"
#include "rules/pending.h"
#include "rules/suppression.h"

#include <jansson.h>

enum { HOLD_FEED_MS = 60000 }; /* how often flap detection takes in a state of what has no period */

/* An alarm's keys. Zero: nothing is held. */
typedef struct HoldRule {
    PendingRule pending;
    FlapRule flap; /* high_percent 0: none */
} HoldRule;

typedef struct Hold {
    AlarmState judged; /* what the evaluation itself said, before `for` and `keep_firing_for` */
    PendingMemory pending;
    FlapMemory flap;
    int64_t flap_ms; /* when flap detection last took in a state; 0: not since the start */
    SuppressionMemory suppression;
    char *suppressor; /* whose memory that is; NULL: none */
} Hold;

void hold_copy(Hold *into, const Hold *from); /* `into` must hold nothing */
void hold_deinit(Hold *hold);

/* Is what changes now kept from people until flapping, a wait, an extension or the suppressor ends? */
bool hold_holds(const Hold *hold);

/* Is there nothing new to write down? Apart from when flap detection was last fed. */
bool hold_equal(const Hold *a, const Hold *b);

/* The state that is shown for what was judged: ALARM once it has held for long enough and as long as it is kept, what
 * it was before (`shown`, since `shown_s`) while it is pending. */
AlarmState hold_pend(const PendingRule *rule, Hold *hold, AlarmState shown, int64_t shown_s, int64_t now_s);
/* When what is shown may change though what is judged stays: `for` or `keep_firing_for` is over. Wall clock, ms;
 * INT64_MAX: never. */
int64_t hold_pend_due_ms(const PendingRule *rule, const Hold *hold);
/* Takes in the state that is shown now: at each change, else once in `period_ms`. A rule that is no more ends what it
 * had begun. */
FlapChange hold_flap(
    const FlapRule *rule, Hold *hold, AlarmState state, bool has_changed, int64_t period_ms, int64_t now_ms);
/* Could flap detection still change its mind with no change of state? Then it must be fed. */
bool hold_flap_settles(const Hold *hold);

json_t *hold_json(const Hold *hold); /* NULL: there is nothing to remember. New reference */
/* What cannot be read counts as never begun, but what is kept firing stays so: from `now_ms` on, where its time cannot
 * be read. `shown`: the instance's state. */
void hold_read(Hold *into, const json_t *json, AlarmState shown, int64_t now_ms);

#endif
