/* The newest events of one account and region, for people to look at: what was read, and which rules it met. Shared by
 * the poll that fills it and whoever shows it; newest first by the events' own times. Bounded by EVENT_LOG_MAX events
 * and EVENT_LOG_KEPT_MS. Loop thread. */
#ifndef TOCSIN_SOURCES_EVENT_LOG_H
#define TOCSIN_SOURCES_EVENT_LOG_H

#include "sources/source.h"

enum { EVENT_LOG_MAX = 5000, EVENT_LOG_KEPT_MS = 3600 * 1000 };

typedef struct EventLog EventLog;

typedef struct LoggedEvent {
    ReadEvent event; /* texts are the log's */
    const char *const *rules; /* titles of those that it met */
    size_t rule_count;
} LoggedEvent;

EventLog *event_log_new(void);
EventLog *event_log_ref(EventLog *log);
EventLog *event_log_free(EventLog *log); /* drops one reference; NULL is fine; returns NULL */
OWN_DEFINE(EventLog, event_log)

bool event_log_has(const EventLog *log, const char *id);
/* Copies the event, unless it is there already, or is older than everything in a full log. */
void event_log_add(EventLog *log, const ReadEvent *event, const char *const *rules, size_t rule_count);
/* Forgets what is older than EVENT_LOG_KEPT_MS. `as_of_ms` (0: as it was): everything up to then was read. */
void event_log_prune(EventLog *log, int64_t now_ms, int64_t as_of_ms);

size_t event_log_count(const EventLog *log);
const LoggedEvent *event_log_at(
    const EventLog *log, size_t index); /* newest first; borrowed until the next poll ends */
int64_t event_log_as_of_ms(const EventLog *log); /* AWS's time at the last complete reading; 0: there was none */

#endif
