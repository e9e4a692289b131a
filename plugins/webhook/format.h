/* What a notification looks like to each kind of receiver: its bodies, made of the notification alone, so that a retry
 * sends the same bytes (I2). Pure. What a receiver refuses for its length is cut before. */
#ifndef TOCSIN_WEBHOOK_FORMAT_H
#define TOCSIN_WEBHOOK_FORMAT_H

#include "kit/notice.h"

/* One request a body. */
typedef struct Bodies {
    char **texts;
    size_t count;
    size_t secret_at; /* where the routing key goes in each of them; 0: nowhere */
} Bodies;

void bodies_add(Bodies *bodies, char *take_text);
void bodies_deinit(Bodies *bodies);
static inline void bodies_drop(Bodies *bodies) { bodies_deinit(bodies); } /* for OWN(bodies) Bodies x */

/* Slack, "Incoming webhooks" and "Block Kit": at most 50 blocks, 3,000 characters a section, 150 a header, `text`
 * always there. All that comes from outside is plain text, `& < >` written as entities. */
char *slack_body(const Notice *notice); /* caller frees */

/* A workflow of Teams, "When a Teams webhook request is received": one Adaptive Card, at most 28 KB. Text runs know no
 * markdown. */
char *teams_body(const Notice *notice); /* caller frees */

/* PagerDuty, "Events API v2": one event an alert, shown or not, dedup_key its fingerprint; at most 512 KB, summary at
 * most 1,024 characters. The routing key has its place at `secret_at`. Alerts that the message only counts are one more
 * event; so is that there are none any more, wherever something ended. */
void pagerduty_bodies(const Notice *notice, Bodies *into);

/* Alertmanager, `POST /api/v2/alerts`: its OpenAPI description. A firing alert is given an end that lies
 * ALERTMANAGER_LIFE_MS ahead: without one it would resolve itself after `resolve_timeout`; so each message has to name
 * each that fires. */
#define ALERTMANAGER_LIFE_MS ((int64_t)7 * 86400000)
char *alertmanager_body(const Notice *notice); /* caller frees */

#endif
