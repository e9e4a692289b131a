/* The reference: what people must be told, second by second, by nothing but the words of the semantics (section 7:
 * groups and their beats, inhibition, silences, times) and of the manual (acknowledgements, escalation). It looks at
 * everything each second, remembers no more than a person would, and shares no line with the daemon. A plain struct: a
 * copy of it is a state to come back to. */
#ifndef TOCSIN_TESTS_MODEL_H
#define TOCSIN_TESTS_MODEL_H

#include "spec.h"

enum { MODEL_GROUPS = 400, MODEL_SILENCES = 16, MODEL_SAID = 16384, MODEL_LABELS_TEXT = 256 };
#define MODEL_NEVER INT64_MIN
#define MODEL_FOREVER INT64_MAX

/* Alerts that are told together. */
typedef struct ModelGroup {
    bool is_open;
    size_t route, escalation; /* escalation: which of the route's, or SPEC_ESCALATIONS: the route itself */
    char labels[MODEL_LABELS_TEXT]; /* `alertname=x, team=y` */
    int64_t first_s, next_s; /* its first look, from which its beats count, and the next one; MODEL_NEVER: none yet */
    int64_t looked_s; /* last */
    bool has_news; /* one of its alerts began or ended since */
    bool is_late; /* nobody was there when it had to look */
    int64_t sent_s; /* the beat of its last message; MODEL_NEVER: none */
    bool told[SPEC_ALERTS]; /* the receiver believes that it fires */
    bool was_held[SPEC_ALERTS]; /* it was muted since */
    int64_t told_at_s[SPEC_ALERTS], told_of_s[SPEC_ALERTS]; /* when, and of which firing (by its beginning) */
} ModelGroup;

typedef struct ModelSilence {
    SpecMatchers matchers;
    int64_t starts_s, ends_s; /* equal: there is none */
    bool covers[SPEC_ALERTS]; /* what its matchers say, worked out once; so are those below */
} ModelSilence;

/* Has the receiver not yet taken an earlier message whose line begins so? Then it is not told again that all is as it
 * was. */
typedef bool ModelWaits(void *ctx, const char *line, size_t length);

typedef struct Model {
    Spec spec;
    ModelWaits *waits; /* NULL: everybody takes everything at once */
    void *ctx;
    bool rests[SPEC_ALERTS][SPEC_ROUTES]; /* the routes at which the alert comes to rest */
    bool is_source[SPEC_ALERTS][SPEC_RULES], is_target[SPEC_ALERTS][SPEC_RULES];
    bool fires[SPEC_ALERTS]; /* as far as the daemon was told */
    int64_t since_s[SPEC_ALERTS];
    int64_t acked_until_s[SPEC_ALERTS]; /* MODEL_NEVER: nobody is on it */
    ModelSilence silences[MODEL_SILENCES];
    ModelGroup groups[MODEL_GROUPS];
} Model;

/* Lines of what was said: `r1.0 {}/{team="x"}:{alertname="y"} reason: +fires -ended`, receiver, channel and group key
 * first. */
typedef struct Said {
    char text[MODEL_SAID];
    size_t used, count;
} Said;
void said_add(Said *said, const char *line);
bool said_same(const Said *a, const Said *b); /* in any order */

void model_init(Model *model, const Spec *spec);
void model_configure(Model *model, const Spec *spec); /* a reload, as far as spec_vary() goes */
void model_silence(Model *model, size_t number, const SpecMatchers *matchers, int64_t starts_s, int64_t ends_s);
void model_fire(Model *model, size_t alert, int64_t now_s);
void model_end(Model *model, size_t alert);
/* Behind a restart nobody remembers a group that has nothing more to tell: another alert there waits anew. */
void model_restart(Model *model);
/* What time itself does: silences begin to hold. Each second, before anybody looks, while the daemon is down, too. */
void model_pass(Model *model, int64_t now_s);
/* Every group whose time has come looks, at what was so before, and says what it has to say. `heard`: so many look now
 * that an escalation may see what the others say in this second, or not; either is right, and it does as was heard. */
void model_look(Model *model, int64_t now_s, const Said *heard, Said *said);
/* In place of that while the daemon is down: whoever had nothing to look for waits for the next beat. */
void model_miss(Model *model, int64_t now_s);
size_t model_due(const Model *model, int64_t now_s); /* how many that may be */

#endif
