/* The CloudTrail source, cut by noun: the selector (event_selector.h), the alarms that rule files bring along, the plan
 * (one poll an account and region), the page of LookupEvents, what the rules say of its events, the reading of one
 * poll. Only these files and their tests include this header. */
#ifndef TOCSIN_SOURCES_CLOUDTRAIL_H
#define TOCSIN_SOURCES_CLOUDTRAIL_H

#include "base/arena.h"
#include "base/error.h"
#include "sources/cloudtrail_cursor.h"
#include "sources/event_log.h"
#include "sources/event_selector.h"

/* --- selector and alarms --- */
extern const SchemaRow event_rows[];
bool event_selector_decode(Decoding *in, const Node *node, void *selector, ThresholdRule *rule, bool missing_given,
    int64_t *settle_s, int64_t *every_s);
size_t event_alarms(Decoding *in, const SourceAlarm **ret_alarms);
/* What a finished set says about a selector's number: rule, correlation, parts. `group_by` stands for a plain rule's
 * (count 0 for one of a file). Lives in the arena. */
void event_selector_finish(EventSelector *selector, const SigmaSet *set, Arena *arena);

/* --- plan --- */

/* One watch on one of its rules. */
typedef struct EventReader {
    uint32_t rule, part;
    size_t watch;
    const EventSelector *selector;
} EventReader;

/* The rules and who waits for them: what the pool matches by. Shared by plan and jobs; keeps the snapshot. */
typedef struct EventRules EventRules;
EventRules *event_rules_ref(EventRules *rules);
EventRules *event_rules_free(EventRules *rules); /* drops one reference; any thread; NULL is fine; returns NULL */
OWN_DEFINE(EventRules, event_rules)
const SigmaSet *event_rules_set(const EventRules *rules);
/* Those that wait for this rule's matches, one behind the other. */
size_t event_rules_readers(const EventRules *rules, uint32_t rule, const EventReader **ret_readers);

/* What a poll remembers from run to run; the loop's. */
typedef struct EventMemory {
    EventLog *log;
    int64_t overlap_s,
        probe_s; /* AWS's time when the whole overlap was last read, and the feed last probed; 0: never */
    int64_t complete_s; /* likewise when everything was last read */
    int64_t feed_ms; /* eventTime of the newest LookupEvents call seen; 0: none */
    int64_t lag_s; /* of the newest event that was new, when it came; -1: none yet */
} EventMemory;

typedef struct EventBatch {
    EventRules *rules;
    EventMemory *memory;
    int64_t overlap_s, lookback_s;
    bool writes_only; /* ReadOnly=false is asked for */
    const char *cursor; /* its name; the scope of ids, too */
} EventBatch;

Plan *event_plan(Snapshot *snapshot, const Watch *watches, size_t count);

/* --- page --- */
enum { LOOKUP_EVENTS_MAX = 50, LOOKUP_TOKEN_MAX = 4096 };

/* One entry of Events: what the outer members say. Texts are "" and times 0 where absent. */
typedef struct LookupEvent {
    const char *id, *name, *service, *user, *key;
    const char *record; /* CloudTrailEvent, JSON by itself; NULL: absent */
    int64_t time_s;
    int read_only; /* 1 yes, 0 no, -1 not said */
} LookupEvent;

typedef struct LookupPage {
    Arena *arena; /* everything here, this struct too */
    const LookupEvent *events; /* newest first, as a rule */
    size_t count;
    const char *next_token; /* NULL: the last page */
} LookupPage;

/* Reads one answer's JSON. Pure, runs on the pool. NULL: ERROR_REMOTE, no answer of LookupEvents. */
LookupPage *lookup_page_decode(const char *body, size_t length, Error *err);
LookupPage *lookup_page_free(LookupPage *page);
OWN_DEFINE(LookupPage, lookup_page)

typedef enum { LOOKUP_ALL, LOOKUP_WRITES, LOOKUP_FEED } LookupKind;
/* The body of a call; token NULL on the first page. Caller frees. */
char *lookup_request(LookupKind kind, Interval interval, int most, const char *token);

/* --- matching --- */
typedef enum { RECORD_FINE, RECORD_NOT_JSON, RECORD_NO_ID, RECORD_NO_TIME, RECORD_STATES } RecordState;

/* One event, read and matched. Lives in the arena that it was made in; its labels are references. */
typedef struct EventFinding {
    ReadEvent event; /* the id is that of the record it corrects, where it corrects one */
    RecordState state; /* NOT_JSON: read from the outer members alone. NO_ID, NO_TIME: skipped */
    bool is_late, corrects;
    EventMatch *matches; /* event is not set */
    size_t match_count;
    const char **rules; /* titles of all that it met */
    size_t rule_count;
} EventFinding;

/* Reads and matches one event. Pure, runs on the pool; `scratch` is this thread's. */
void finding_make(
    Arena *arena, const EventRules *rules, SigmaScratch *scratch, const LookupEvent *outer, EventFinding *ret_finding);
void event_finding_drop(EventFinding *finding); /* its labels */

/* --- poll --- */
enum {
    CLOUDTRAIL_PAGES_MAX = 100, /* a run; the rest is a gap */
    CLOUDTRAIL_RUN_MAX_S = 100, /* a run; likewise: with one slow call more it ends within three periods of a minute */
    CLOUDTRAIL_REREAD_S = 300, /* each run begins so far before the newest event seen ... */
    CLOUDTRAIL_OVERLAP_EVERY_S = 600, /* ... and so often as far back as the overlap */
    CLOUDTRAIL_PROBE_EVERY_S = 900,
    CLOUDTRAIL_PROBE_BACK_S = 2 * 3600,
    CLOUDTRAIL_IDS_SLACK_S = 2 * 3600 /* ids are kept so much longer than the overlap */
};
PollRun *event_poll_start(const Poll *poll, const PollWorld *world, PollDone *done, void *ctx);
void event_poll_cancel(PollRun *run);
void event_poll_forget(const Poll *poll, int64_t now_s); /* Source.forget */

#endif
