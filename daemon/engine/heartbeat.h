/* The heartbeat: tells a dead man's switch, by Healthchecks' conventions, that the cycle went round, or what Tocsin
 * cannot see. Says nothing while a cycle is not complete (I17). One request at a time. Loop thread. */
#ifndef TOCSIN_ENGINE_HEARTBEAT_H
#define TOCSIN_ENGINE_HEARTBEAT_H

#include "engine/notifier.h"
#include "engine/poller.h"

enum { HEARTBEAT_GAP_MS = 12000 }; /* at most five a minute */

typedef struct HeartbeatSection {
    const char *url; /* NULL: url_secret, or no heartbeat at all */
    const char *fail_url;
    const Secret *url_secret, *fail_secret;
    int64_t every_s;
} HeartbeatSection;
extern const SectionDescriptor heartbeat_section;

typedef struct Heartbeat Heartbeat;
/* All are borrowed and must outlive it. Caller frees. */
Heartbeat *heartbeat_new(Core *core, Http *http, Poller *poller, Notifier *notifier);
Heartbeat *heartbeat_free(Heartbeat *heartbeat); /* cancels what is on its way */
OWN_DEFINE(Heartbeat, heartbeat)

/* Sends where it is time: every `every`, and sooner where good has turned into bad or back. */
void heartbeat_tick(Heartbeat *heartbeat);
int64_t heartbeat_next_boot_ms(const Heartbeat *heartbeat); /* INT64_MAX: there is none */

#endif
