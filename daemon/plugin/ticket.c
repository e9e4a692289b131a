#include "plugin/ticket.h"

#include "base/alloc.h"
#include "base/table.h"

#include <pthread.h>

typedef struct Ticket {
    uintptr_t number;
    void *object;
    UT_hash_handle hh;
} Ticket;

static pthread_mutex_t tickets_lock = PTHREAD_MUTEX_INITIALIZER;
static Ticket *tickets;
static uintptr_t last_number;

uintptr_t ticket_issue(void *object) {
    Ticket *ticket = alloc_zeroed(1, sizeof *ticket);
    ticket->object = object;
    pthread_mutex_lock(&tickets_lock);
    const uintptr_t number = ticket->number = ++last_number;
    HASH_ADD(hh, tickets, number, sizeof ticket->number, ticket);
    pthread_mutex_unlock(&tickets_lock);
    return number;
}

void *ticket_object(uintptr_t number) {
    Ticket *ticket = NULL;
    pthread_mutex_lock(&tickets_lock);
    HASH_FIND(hh, tickets, &number, sizeof number, ticket);
    void *object = ticket ? ticket->object : NULL;
    pthread_mutex_unlock(&tickets_lock);
    return object;
}

void ticket_drop(uintptr_t number) {
    Ticket *ticket = NULL;
    pthread_mutex_lock(&tickets_lock);
    HASH_FIND(hh, tickets, &number, sizeof number, ticket);
    if (ticket) HASH_DELETE(hh, tickets, ticket);
    pthread_mutex_unlock(&tickets_lock);
    free(ticket);
}
