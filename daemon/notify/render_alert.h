/* One alert as a message tells it: a copy of what is known of an instance, made on the loop, and its words and JSON,
 * made on the pool. All its text may have been chosen by an attacker: it is only ever put into JSON here (I14). */
#ifndef TOCSIN_NOTIFY_RENDER_ALERT_H
#define TOCSIN_NOTIFY_RENDER_ALERT_H

#include "notify/turn.h"

typedef struct RenderAlert {
    char fingerprint[FINGERPRINT_TEXT];
    bool is_firing, no_data;
    bool is_flapping; /* it changes again and again: what it is at this moment says little */
    bool is_gone; /* it was removed: the reason says by what */
    bool is_rest, is_news; /* keepers (rest.h) hear its name where they are not shown it; they are told that it fires */
    Labels *labels, *annotations, *notes; /* copies of its own: the loop's counts are not thread-safe */
    char *name, *reason, *console_url, *what; /* never NULL */
    char *acked_by, *acked_comment; /* who is on it, and what they say; "": nobody */
    char *series; /* which of those that the alarm finds, in words; "" where it names its one */
    const Instance *instance; /* on the loop alone */
    char *changed; /* write events just before it; NULL: none known */
    int64_t matches, more; /* of events, since it began; of them new to the receiver, beyond that it fires */
    double value, threshold, worst; /* NAN: none */
    const char *sign; /* of the comparison; "" where not known any more */
    int64_t window_s; /* how long the breach must have lasted before it fired */
    int64_t starts_ms, ends_ms; /* ends_ms 0: fires */
} RenderAlert;

/* A copy that shares nothing with its original: a set's references are counted on the loop alone. Caller frees. */
Labels *render_labels_copy(const Labels *labels);
void render_alert_copy(RenderAlert *into, const GroupAlert *alert, int64_t now_ms); /* on the loop */
void render_alert_deinit(RenderAlert *alert);

/* `api-latency-p99 is 1.23 (> 0.8) for 5 min in prod eu-west-1`: a line for a phone; caller frees. Pure, as the next.
 */
char *render_alert_summary(const RenderAlert *alert, int64_t now_ms);
/* An element of the webhook body's alerts[]; new reference. */
json_t *render_alert_json(const RenderAlert *alert, int64_t now_ms);
/* At least as many bytes as the brief one has, with the remark that an escalation from there makes; NULL: it is none.
 * On the loop. */
size_t render_alert_brief_room(const GroupAlert *alert, const char *escalated_from);
/* The same with its summary and what a person wrote as its only annotations; new reference. */
json_t *render_alert_brief(const RenderAlert *alert, int64_t now_ms);

#endif
