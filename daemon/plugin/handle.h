/* One channel in force: the plugin's handle and the services lent to it. Between host.c, which makes and destroys
 * handles, and service.c, which serves them. Loop thread. */
#ifndef TOCSIN_PLUGIN_HANDLE_H
#define TOCSIN_PLUGIN_HANDLE_H

#include "plugin/host.h"

#include "tocsin-plugin.h"

typedef struct Service Service;

/* What services are made of; outlives every handle. */
typedef struct Lender {
    uv_loop_t *loop;
    Http *http;
    Aws *aws;
    const Clock *clock;
    Metrics *metrics;
} Lender;

typedef struct Handle {
    TocsinHost lent; /* first: a plugin gives it back as the handle */
    const Lender *lender;
    Snapshot *snapshot; /* its secrets; one reference */
    const char *receiver;
    const Channel *channel; /* both in the snapshot */
    void *self; /* the plugin's own */
    size_t tries; /* deliveries that are not done */
    bool retired; /* not of the configuration in force any more */
    bool ending; /* its services are being cancelled */
    Service *services;
    size_t service_count;
    uint64_t last_timer;
} Handle;

/* Fills `lent` with the services. */
void services_lend(Handle *handle);
/* Ends what runs for this handle, each with TOCSIN_CANCELLED; new ones are not begun any more. */
void services_cancel(Handle *handle);

#endif
