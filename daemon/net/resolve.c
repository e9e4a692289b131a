#include "net/resolve.h"

#include "base/alloc.h"
#include "base/log.h"

#include <assert.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

typedef enum { NAME_QUEUED, NAME_RUNNING, NAME_KNOWN } NameState;
/* What was told last: all is well; the last addresses serve while nobody answers; they serve no more. */
typedef enum { TOLD_GOOD, TOLD_STALE, TOLD_TOO_OLD } Told;

typedef struct Name {
    uv_getaddrinfo_t request;
    Resolver *resolver; /* NULL: the resolver went while the pool was still asking */
    char *host;
    NameState state;
    int64_t known_ms, good_ms; /* by the boot clock: an answer ages in suspend, too; good_ms: when the addresses came */
    int64_t asked_ms; /* monotonic */
    bool is_slow; /* it failed after RESOLVE_SLOW_MS or more */
    Told told;
    struct sockaddr_storage addresses[RESOLVE_ADDRESSES];
    size_t count;
    const char *error;
    Lookup *waiting;
    size_t holders; /* lookups that point here, waiting or about to be answered */
    struct Name *prev, *next;
} Name;

struct Lookup {
    uv_timer_t timer; /* its deadline; or at once, where the answer is there already */
    Name *name;
    ResolveDone *done;
    void *ctx;
    bool listed;
    Lookup *prev, *next;
};

struct Resolver {
    uv_loop_t *loop;
    const Clock *clock;
    ResolveAsk *ask;
    Name *names; /* oldest first */
    size_t count, running, slow_running;
};

Resolver *resolver_new(uv_loop_t *loop, const Clock *clock, ResolveAsk *ask) {
    Resolver *resolver = alloc_zeroed(1, sizeof *resolver);
    resolver->loop = loop;
    resolver->clock = clock;
    resolver->ask = ask;
    return resolver;
}

static void name_free(Name *name) {
    free(name->host);
    free(name);
}

static void timer_closed(uv_handle_t *handle) { free(handle->data); }

/* Takes the lookup out of everything; its memory goes when its timer is closed. */
static void lookup_leave(Lookup *lookup) {
    if (lookup->listed) DL_DELETE(lookup->name->waiting, lookup);
    lookup->listed = false;
    lookup->name->holders--;
    lookup->done = NULL;
    uv_close((uv_handle_t *)&lookup->timer, timer_closed);
}

static void lookup_answer(Lookup *lookup, const ResolveAnswer *answer) {
    ResolveDone *done = lookup->done;
    void *ctx = lookup->ctx;
    lookup_leave(lookup);
    done(ctx, answer);
}

/* Are there addresses from before that serve while nobody answers? */
static bool is_stale_good(const Name *name) {
    return name->count > 0 && clock_boot_ms(name->resolver->clock) - name->good_ms < RESOLVE_STALE_MS;
}

static void on_lookup_timer(uv_timer_t *timer) {
    Lookup *lookup = timer->data;
    const Name *name = lookup->name;
    if (!lookup->listed) {
        const ResolveAnswer known = {name->addresses, name->count, name->error};
        lookup_answer(lookup, &known);
        return;
    }
    if (is_stale_good(name))
        lookup_answer(lookup, &(ResolveAnswer){name->addresses, name->count, NULL});
    else
        lookup_answer(lookup, &(ResolveAnswer){NULL, 0, "no answer to the name lookup within 5 s"});
}

/* Whoever waits is answered in the next turn of the loop: this may run inside resolver_start(). */
static void answer_soon(Name *name) {
    Lookup *lookup, *next;
    DL_FOREACH_SAFE(name->waiting, lookup, next) {
        DL_DELETE(name->waiting, lookup);
        lookup->listed = false;
        uv_timer_start(&lookup->timer, on_lookup_timer, 0, 0);
    }
}

static const char *lookup_words(int status) {
    switch (status) {
    case UV_EAI_NONAME:
    case UV_EAI_NODATA: return "the name does not exist";
    case UV_EAI_AGAIN: return "the name server did not answer";
    default: return "the name could not be looked up";
    }
}

static void keep_addresses(Name *name, const struct addrinfo *list) {
    for (const struct addrinfo *entry = list; entry && name->count < RESOLVE_ADDRESSES; entry = entry->ai_next) {
        if (entry->ai_addrlen > sizeof name->addresses[0]) continue;
        if (entry->ai_family != AF_INET && entry->ai_family != AF_INET6) continue;
        memcpy(&name->addresses[name->count++], entry->ai_addr, entry->ai_addrlen);
    }
}

/* `is_stale`: none answered, and the last addresses serve. A name that never had any has nothing to tell of. */
static void tell_silence(Name *name, bool is_answered, bool is_stale) {
    if (is_answered && name->told != TOLD_GOOD) {
        LOG(INFO, "a name server answers again", KV("host", name->host));
        name->told = TOLD_GOOD;
    } else if (is_stale && name->told == TOLD_GOOD) {
        LOG(WARNING, "no name server answers: the last addresses go on to serve for an hour", KV("host", name->host));
        name->told = TOLD_STALE;
    } else if (!is_answered && !is_stale && name->told == TOLD_STALE) {
        LOG(WARNING, "no name server answers yet: the last addresses are an hour old and serve no more",
            KV("host", name->host));
        name->told = TOLD_TOO_OLD;
    }
}

static void name_known(Name *name, int status, const struct addrinfo *list) {
    const Clock *clock = name->resolver->clock;
    const bool is_answered = status != UV_EAI_AGAIN, is_stale = !is_answered && is_stale_good(name);
    name->state = NAME_KNOWN;
    name->known_ms = clock_boot_ms(clock);
    name->is_slow = status && clock_mono_ms(clock) - name->asked_ms >= RESOLVE_SLOW_MS;
    if (!is_stale) name->count = 0;
    tell_silence(name, is_answered, is_stale);
    if (status == 0) {
        keep_addresses(name, list);
        name->good_ms = name->known_ms;
    }
    name->error = name->count ? NULL : lookup_words(status ? status : UV_EAI_NODATA);
    answer_soon(name);
}

static void pump(Resolver *resolver);

static void on_addresses(uv_getaddrinfo_t *request, int status, struct addrinfo *list) {
    Name *name = request->data;
    if (!name->resolver) {
        name_free(name);
    } else {
        name->resolver->running--;
        name->resolver->slow_running -= name->is_slow;
        name_known(name, status, list);
        pump(name->resolver);
    }
    uv_freeaddrinfo(list);
}

/* Who waits first, but for the slow ones: those come last, and take their share of the gate only. */
static Name *next_queued(const Resolver *resolver) {
    Name *name, *slow = NULL;
    DL_FOREACH(resolver->names, name) {
        if (name->state != NAME_QUEUED || !name->waiting) continue;
        if (!name->is_slow) return name;
        if (!slow) slow = name;
    }
    return resolver->slow_running < RESOLVE_SLOW_AT_ONCE ? slow : NULL;
}

static void pump(Resolver *resolver) {
    /* without AI_ADDRCONFIG: on a machine that has a loopback alone it hides `localhost` */
    static const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    Name *name;
    while (resolver->running < RESOLVE_AT_ONCE && (name = next_queued(resolver))) {
        name->request.data = name;
        name->state = NAME_RUNNING;
        name->asked_ms = clock_mono_ms(resolver->clock);
        const int status = resolver->ask(resolver->loop, &name->request, on_addresses, name->host, NULL, &hints);
        if (status) {
            name_known(name, status, NULL);
            continue;
        }
        resolver->running++;
        resolver->slow_running += name->is_slow;
    }
}

static void forget_oldest(Resolver *resolver) {
    Name *name, *next;
    DL_FOREACH_SAFE(resolver->names, name, next) {
        if (resolver->count < RESOLVE_NAMES) return;
        if (name->holders || name->state == NAME_RUNNING) continue;
        DL_DELETE(resolver->names, name);
        resolver->count--;
        name_free(name);
    }
}

static Name *name_find(Resolver *resolver, const char *host) {
    Name *name;
    DL_FOREACH(resolver->names, name)
        if (strcmp(name->host, host) == 0) return name;
    forget_oldest(resolver);
    name = alloc_zeroed(1, sizeof *name);
    name->resolver = resolver;
    name->host = text_copy(host);
    DL_APPEND(resolver->names, name);
    resolver->count++;
    return name;
}

Lookup *resolver_start(Resolver *resolver, const char *host, ResolveDone *done, void *ctx) {
    Lookup *lookup = alloc_zeroed(1, sizeof *lookup);
    Name *name = name_find(resolver, host);
    lookup->name = name;
    lookup->done = done;
    lookup->ctx = ctx;
    name->holders++;
    uv_timer_init(resolver->loop, &lookup->timer);
    lookup->timer.data = lookup;
    const bool old = clock_boot_ms(resolver->clock) - name->known_ms >= RESOLVE_KEEP_MS;
    if (name->state == NAME_KNOWN && old && name->holders == 1)
        name->state = NAME_QUEUED; /* else another is about to get it */
    if (name->state == NAME_KNOWN) {
        uv_timer_start(&lookup->timer, on_lookup_timer, 0, 0);
        return lookup;
    }
    DL_APPEND(name->waiting, lookup);
    lookup->listed = true;
    uv_timer_start(&lookup->timer, on_lookup_timer, RESOLVE_DEADLINE_MS, 0);
    pump(resolver);
    return lookup;
}

void resolver_cancel(Lookup *lookup) {
    if (lookup && lookup->done) lookup_leave(lookup);
}

Resolver *resolver_free(Resolver *resolver) {
    if (!resolver) return NULL;
    Name *name, *next;
    DL_FOREACH_SAFE(resolver->names, name, next) {
        assert(name->holders == 0);
        DL_DELETE(resolver->names, name);
        name->resolver = NULL;
        if (name->state == NAME_RUNNING)
            uv_cancel((uv_req_t *)&name->request); /* if it has begun, it frees itself at its end */
        else
            name_free(name);
    }
    free(resolver);
    return NULL;
}
