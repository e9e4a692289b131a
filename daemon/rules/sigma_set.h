/* Sigma rules, compiled together: rule files and inline detections in, and for each event the numbers of the rules
 * that it meets out. A finished set is immutable and read by any thread; what a match needs lies in a SigmaScratch, one
 * a thread. An index from values that rules insist on (`eventName: StopLogging`) to those rules leaves most rules
 * unevaluated; a field is looked up once an event however many rules ask for it. No clock, no I/O.
 *
 * Texts are compared as the Sigma specification says: case is ignored (in ASCII; other characters byte by byte) unless
 * `cased`; numbers and booleans equal their texts; a dot in a field's name steps into objects, a list on the way means
 * any of its elements, and a key that itself contains the dots is found too. An object where a text is expected is
 * matched as compact JSON, or by a text inside of it, through wildcards, `contains` and `re`; never by a plain value.
 * `neq` holds for an absent field too; null means absent or null, '' the empty text alone. Keywords are searched in the
 * event's texts, not in its keys. */
#ifndef TOCSIN_RULES_SIGMA_SET_H
#define TOCSIN_RULES_SIGMA_SET_H

#include "base/problems.h"
#include "config/node.h"
#include "rules/sigma_correlation.h"

#include <jansson.h>
#include <stdint.h>

enum {
    SIGMA_RULES_MAX = 20000, /* in a set, correlations included */
    SIGMA_DETECTIONS_MAX = 1000, /* named parts of one rule */
    SIGMA_VALUES_MAX = 10000, /* of one rule, placeholders expanded */
    SIGMA_VALUE_BYTES_MAX = 8192, /* of one value */
    SIGMA_FILE_VALUES_BYTES_MAX = 4 << 20, /* of all values of one file, aliases and placeholders expanded */
    SIGMA_REGEX_BYTES_MAX = 64 << 20, /* of all patterns of a set, compiled */
    SIGMA_EVENT_REGEX_LIMITS_MAX = 16, /* matches of one event that may run into a limit; then it has no more */
    SIGMA_FIELD_BYTES_MAX = 512, /* of a field's name with its modifiers */
    SIGMA_CONDITION_BYTES_MAX = 4096,
    SIGMA_CONDITION_DEPTH_MAX = 64, /* parentheses and `not`s */
    SIGMA_FIELD_VALUES_MAX =
        200000 /* values of the fields asked for, in one event; more are not looked at, and counted */
};

typedef enum { SIGMA_INFORMATIONAL, SIGMA_LOW, SIGMA_MEDIUM, SIGMA_HIGH, SIGMA_CRITICAL } SigmaLevel;

typedef struct SigmaTexts {
    size_t count;
    const char *const *texts;
} SigmaTexts;

/* What a rule says of itself. Texts are never NULL unless said. */
typedef struct SigmaRule {
    const char *title;
    const char *id, *name, *status, *description, *author, *date, *modified, *license; /* NULL where absent */
    SigmaLevel level; /* medium where absent */
    const char *product, *service, *category, *definition; /* logsource; NULL where absent */
    SigmaTexts tags, references, falsepositives, fields;
    const SigmaCorrelation *correlation; /* NULL: matched event by event. Else fed by sigma_correlator.h */
    bool silent; /* only a part of correlations, which do not say `generate`: not to be told by itself */
    Place at; /* where its document begins; the file's name lives as long as the set */
} SigmaRule;

typedef struct SigmaPlaceholder {
    const char *name; /* without the percent signs; `admins` and `Admins` are two */
    const char *const *values;
    size_t count;
} SigmaPlaceholder;

typedef struct SigmaOptions {
    const SigmaPlaceholder *placeholders; /* for `expand`; borrowed until sigma_builder_finish() */
    size_t placeholder_count;
    const char *product; /* leave out rules of another logsource.product; NULL: take all */
    const char *service; /* likewise of another logsource.service; NULL: take all */
    int64_t timespan_s; /* of `| count()` where the rule names no timeframe; 0: then it is a problem */
} SigmaOptions;

/* A map from names to a text or a list of texts, into the arena. False: problems, all of them. */
bool sigma_placeholders_read(
    Arena *arena, const Node *map, const SigmaPlaceholder **ret_list, size_t *ret_count, Problems *all);

typedef struct SigmaBuilder SigmaBuilder;
typedef struct SigmaSet SigmaSet;
typedef struct SigmaScratch SigmaScratch;

/* `options` and `problems` are borrowed until the builder ends. */
SigmaBuilder *sigma_builder_new(const SigmaOptions *options, Problems *problems);
SigmaBuilder *sigma_builder_free(SigmaBuilder *builder); /* without a set: something went wrong elsewhere */
OWN_DEFINE(SigmaBuilder, sigma_builder)
/* One rule file's text, several documents included. False: it has problems, all of which were added; its rules without
 * problems are in the set all the same. */
bool sigma_builder_text(SigmaBuilder *builder, const char *file, const char *text, size_t length);
/* An alarm's inline `detection` map under the alarm's name. False with problems; else its number. */
bool sigma_builder_detection(SigmaBuilder *builder, const char *title, const Node *detection, uint32_t *ret_number);
size_t sigma_builder_left_out(const SigmaBuilder *builder); /* rules of another product or service so far */
/* Resolves correlations, builds the index. Ends the builder. Never NULL; what had problems is not in it. */
SigmaSet *sigma_builder_finish(SigmaBuilder *take_builder);

SigmaSet *sigma_set_free(SigmaSet *set);
OWN_DEFINE(SigmaSet, sigma_set)
size_t sigma_set_count(const SigmaSet *set); /* rules, correlations among them; numbered from 0 as they were added */
const SigmaRule *sigma_set_rule(const SigmaSet *set, uint32_t number);
const char *sigma_level_word(SigmaLevel level); /* Sigma's own word */
/* Tocsin's severity: critical; high is error, medium warning, low and informational info. */
const char *sigma_severity(SigmaLevel level);
/* Can an event with `readOnly: true` meet a rule of the set? Errs on the side of yes: no only where each rule insists
 * on `readOnly: false` or on event names that write. */
bool sigma_set_reads(const SigmaSet *set);
bool sigma_rule_reads(const SigmaSet *set, uint32_t number); /* the same for one rule */
/* Can it be met at all? No for a correlation of rules that were left out. */
bool sigma_rule_lives(const SigmaSet *set, uint32_t number);

SigmaScratch *sigma_scratch_new(const SigmaSet *set); /* for this set alone */
SigmaScratch *sigma_scratch_free(SigmaScratch *scratch);
OWN_DEFINE(SigmaScratch, sigma_scratch)
/* The rules that the event meets, ascending, correlations not among them; `*ret_numbers` is the scratch's until its
 * next match. An event that is no object meets none. */
size_t sigma_set_match(const SigmaSet *set, const json_t *event, SigmaScratch *scratch, const uint32_t **ret_numbers);

/* What could not be decided since the scratch was made: a test that ran into a limit counts as not met. */
typedef struct SigmaLimits {
    uint64_t regex, values;
    uint32_t rule; /* the last one concerned; UINT32_MAX: none */
} SigmaLimits;
SigmaLimits sigma_scratch_limits(const SigmaScratch *scratch);

/* A field's first value as text, for grouping and for people: found as rules find it. "" where absent, null or an
 * object. Cut at `room` - 1 bytes. Returns `text`. */
const char *sigma_event_text(const json_t *event, const char *field, char *text, size_t room);

#endif
