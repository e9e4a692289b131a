/* The ABI of a notification channel: what a shared object gives to Tocsin and what Tocsin lends to it.
 *
 * A plugin exports one symbol, tocsin_plugin(). For each channel that a configuration names, Tocsin calls check() while
 * it loads the file, init() when the configuration comes into force, deliver() for each try, and destroy() when the
 * last delivery of that configuration has ended. All but check() run on Tocsin's one event loop: whatever blocks there
 * holds up every alarm, so a plugin starts its work with the host's asynchronous services and returns. check() runs on
 * another thread, may run twice at once, and contacts nobody.
 *
 * Growth: every struct that crosses the border begins with its size. Members are added at the end and never change;
 * what lies beyond the other side's size counts as zero. Set `size` to sizeof the struct as you compiled it, and
 * compare host->size before you use a service that is newer than the oldest Tocsin you want to run under (TOCSIN_HAS).
 *
 * Ownership: what is handed to a function is borrowed until it returns, in both directions, unless said otherwise. */
#ifndef TOCSIN_PLUGIN_H
#define TOCSIN_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TOCSIN_PLUGIN_ABI = 1 }; /* raised only when an older plugin could not run any more */

/* Does the struct behind `p` reach as far as `member`? */
#define TOCSIN_HAS(Type, p, member) ((p)->size >= offsetof(Type, member) + sizeof((p)->member))

/* --- what a delivery became --- */

typedef enum TocsinOutcome {
    TOCSIN_DELIVERED, /* the receiver said that it took the message */
    TOCSIN_RETRY, /* it may succeed later: Tocsin tries again, with the same message */
    TOCSIN_REFUSED /* it never will as it stands: Tocsin parks the message and raises an alarm */
} TocsinOutcome;

typedef struct TocsinResult {
    size_t size;
    TocsinOutcome outcome;
    const char *detail; /* for a person: the receiver's own words; copied, cut at 4 KiB; NULL for none */
    int64_t retry_after_ms; /* TOCSIN_RETRY: the receiver's wish, 0 for none */
    const char *receipt_json; /* TOCSIN_DELIVERED: what an update of the message needs; copied; NULL for none */
    bool went_on; /* TOCSIN_RETRY: part of the message was taken now, and a retry sends the rest. The receiver does not
                     fail, it takes its time: the retry is not put off for longer each time */
} TocsinResult;

/* To be called once for each deliver(), on the loop, inside deliver() or later. A second call, one that comes after
 * Tocsin gave the delivery up (60 s), and one with a NULL result do no harm: the last counts as TOCSIN_RETRY. */
typedef void TocsinDone(void *ctx, const TocsinResult *result);

/* --- what Tocsin lends: struct TocsinHost at the end --- */

/* A secret of the configuration: its number, in place of its bytes. 0 is none. The host puts the bytes where they
 * belong. */
typedef uint64_t TocsinSecret;

typedef enum TocsinLevel { TOCSIN_DEBUG, TOCSIN_INFO, TOCSIN_WARNING, TOCSIN_ERROR } TocsinLevel;

/* How a lent service ended. */
typedef enum TocsinEnd {
    TOCSIN_ANSWERED, /* there is an answer to look at */
    TOCSIN_FAILED, /* none came: `error` says why; a later try may succeed */
    TOCSIN_TIMEOUT, /* none came in time */
    TOCSIN_UNSENT, /* the request itself is wrong, or goes where it must not: `error` says why */
    TOCSIN_CANCELLED /* the handle is about to be destroyed */
} TocsinEnd;

/* This struct stands in arrays and will never grow. */
typedef struct TocsinHeader {
    const char *name, *value;
    TocsinSecret secret; /* not 0: its bytes are appended to value */
} TocsinHeader;

typedef struct TocsinHttpRequest {
    size_t size;
    const char *method; /* GET POST PUT DELETE HEAD */
    const char *url; /* http or https, without user and password in it; NULL: url_secret */
    TocsinSecret url_secret; /* the whole address is a secret */
    const TocsinHeader *headers;
    size_t header_count;
    const char *body;
    size_t body_length;
    const char *username; /* HTTP basic authentication with `password`; NULL: none */
    TocsinSecret password;
    const char *ca_file, *cert_file, *key_file; /* NULL: the system's authorities; no client certificate */
    const char *proxy_url; /* NULL: from the usual environment variables */
    int64_t timeout_ms; /* the whole exchange; 0: 30 s */
    /* A secret that has its place inside the body: its bytes are put at `body_secret_at`, written as the inside of a
     * JSON string. For a receiver that wants its key there and in no header. Look at host->http_request_size first: a
     * Tocsin that does not know of it would send the body without the secret. */
    TocsinSecret body_secret; /* 0: none */
    size_t body_secret_at;
} TocsinHttpRequest;

typedef struct TocsinHttpAnswer {
    size_t size;
    TocsinEnd end;
    int status; /* 0 unless answered */
    const char *body; /* its first 4 KiB, a zero byte behind; never NULL */
    size_t body_length;
    const char *error; /* without secrets; never NULL */
    int64_t retry_after_ms; /* 0: none */
    const char *location_host; /* where a redirect, which is not followed, points to; NULL: none */
} TocsinHttpAnswer;
typedef void TocsinHttpDone(void *ctx, const TocsinHttpAnswer *answer);

typedef struct TocsinMailRequest {
    size_t size;
    const char *host; /* name or address */
    int port;
    bool implicit_tls; /* TLS from the first byte */
    bool require_tls; /* else STARTTLS where the server offers it */
    const char *ca_file; /* NULL: the system's authorities */
    const char *username; /* NULL: no login */
    TocsinSecret password;
    const char *auth; /* plain login cram-md5; NULL: what the server offers */
    const char *from; /* bare addresses */
    const char *const *recipients; /* ends at NULL; at most 100 */
    const char *message; /* RFC 5322, every line ends in CR LF */
    size_t message_length;
    int64_t timeout_ms; /* 0: 50 s */
} TocsinMailRequest;

typedef struct TocsinMailAnswer {
    size_t size;
    TocsinEnd end;
    bool accepted; /* 250 after DATA, for at least one recipient */
    bool login_refused; /* user or password, not the message */
    int code; /* the SMTP answer that decided; 0: none. Where `end` is TOCSIN_FAILED it came before the mail's turn */
    const char *error; /* the server's own words; never NULL */
    const char *const *refused; /* recipients that were refused while others were taken; ends at NULL; never NULL */
} TocsinMailAnswer;
typedef void TocsinMailDone(void *ctx, const TocsinMailAnswer *answer);

typedef struct TocsinAwsRequest {
    size_t size;
    const char *account; /* a name of aws.accounts; NULL: the base credentials */
    const char *region; /* required */
    const char *service; /* sns */
    const char *operation; /* Publish */
    const char *body; /* as the service's protocol wants it */
    size_t body_length;
    int64_t timeout_ms; /* 0: 30 s */
} TocsinAwsRequest;

typedef struct TocsinAwsAnswer {
    size_t size;
    TocsinEnd end;
    bool fine; /* the call succeeded: look at the body */
    bool may_retry; /* it did not: throttled, transient, expired keys, wrong clock, unreachable */
    int status; /* 0: none */
    const char *body; /* never NULL */
    size_t body_length;
    const char *code, *message; /* AWS's own words; "" where none */
    const char *explanation; /* one sentence for a person, with what to do; "" where fine */
    int64_t retry_after_ms;
} TocsinAwsAnswer;
typedef void TocsinAwsDone(void *ctx, const TocsinAwsAnswer *answer);

/* A child of its own session with a clean environment (PATH and LANG), every descriptor but its three closed; killed
 * with its whole group when the time is over. */
typedef struct TocsinSpawnRequest {
    size_t size;
    const char *const *arguments; /* arguments[0]: a path, or a name on PATH; ends at NULL */
    const char *const *environment; /* `NAME=value`, besides PATH and LANG; ends at NULL; NULL: none */
    const char *input; /* its standard input */
    size_t input_length;
    int64_t timeout_ms; /* 0: 30 s */
} TocsinSpawnRequest;

typedef struct TocsinSpawnAnswer {
    size_t size;
    TocsinEnd end; /* TOCSIN_UNSENT: it could not be started */
    int status; /* TOCSIN_ANSWERED: its exit status */
    int signal; /* not 0: it was ended by this signal */
    const char *output; /* standard output and error, their first 64 KiB, a zero byte behind; never NULL */
    size_t output_length;
    const char *error; /* never NULL */
} TocsinSpawnAnswer;
typedef void TocsinSpawnDone(void *ctx, const TocsinSpawnAnswer *answer);

typedef void TocsinDue(void *ctx, bool cancelled); /* cancelled: the handle is about to be destroyed */

/* The services, one struct a handle: hand it back as the first argument. Each `done` runs once, on the loop, never
 * inside the call that asked for it; those that still run when the handle goes end first, with TOCSIN_CANCELLED. A
 * handle has at most 64 of them under way at once; what is beyond ends with TOCSIN_FAILED. */
typedef struct TocsinHost TocsinHost;
struct TocsinHost {
    size_t size;
    void (*log)(const TocsinHost *host, TocsinLevel level, const char *message);
    int64_t (*now_ms)(const TocsinHost *host); /* UTC, since 1970. Not for a message's bytes: a retry would differ */
    void (*http)(const TocsinHost *host, const TocsinHttpRequest *request, TocsinHttpDone *done, void *ctx);
    void (*mail)(const TocsinHost *host, const TocsinMailRequest *request, TocsinMailDone *done, void *ctx);
    void (*aws)(const TocsinHost *host, const TocsinAwsRequest *request, TocsinAwsDone *done, void *ctx);
    void (*spawn)(const TocsinHost *host, const TocsinSpawnRequest *request, TocsinSpawnDone *done, void *ctx);
    /* Returns the timer's number for timer_cancel(), after which `due` does not run any more; 0: too many (it will not
     * run). */
    uint64_t (*timer)(const TocsinHost *host, int64_t delay_ms, TocsinDue *due, void *ctx);
    void (*timer_cancel)(const TocsinHost *host, uint64_t timer);
    /* HMAC-SHA256 with a secret as key, or plain SHA-256 with secret 0: 64 lower-case hex digits and a zero byte.
     * False: the secret is unknown. */
    bool (*sha256)(const TocsinHost *host, TocsinSecret secret, const void *data, size_t length, char *ret_hex);
    size_t http_request_size; /* how much of a TocsinHttpRequest this Tocsin understands */
};

/* --- what a plugin is --- */

/* One configuration key. `name` is `key`, or `section.key` for a map in the channel's map. `type` is one of
 *   text        a string of one line texts     a list of strings; one scalar stands for a list of one
 *   lines       a string of several lines
 *   integer     a whole number       number    any number
 *   bool        true or false        duration  seconds, a whole number
 *   map         strings by name      path      an absolute path (a relative one was relative to the configuration)
 *   url         http or https, checked
 *   account     a name of aws.accounts, checked
 *   choice A B  one of the words that follow
 *   secret      the name ends in `_file`: the secret's number, 0 in a check without that file
 *   secret url  likewise, and the file holds an address, checked
 *   later       refused as not existing yet
 * with `required ` before it where it has to be there. What it says here is checked before check() is called.
 * This struct stands in arrays and will never grow. */
typedef struct TocsinKey {
    const char *name, *type;
    const char *fallback; /* as it would stand in YAML; NULL: none */
    const char *doc; /* one or two sentences for the manual */
} TocsinKey;

/* What is wrong with a configuration. `path`: `/to/0`, or `` for the channel itself; an absent path means its parent's
 * place. `remedy`: what would be right; may be NULL. */
typedef void TocsinProblem(void *ctx, const char *path, const char *what, const char *remedy);

/* Of a group's alerts a notification shows 20 in full. To a program that keeps a state for each alert the others matter
 * as well: the first 500 of those that fire, in the order in which they were named and the receiver was told of them,
 * and as many ends; the end of what was named is never left out. One that has begun may be named again. */
typedef enum TocsinRest {
    TOCSIN_REST_NONE, /* they are only counted: for channels that people read */
    TOCSIN_REST_CHANGED, /* those that began or ended since the receiver was last told are named */
    TOCSIN_REST_ALL /* each notification also names those that fire on, for what would forget them */
} TocsinRest;

/* A newer Tocsin may hand in more in the notification, which is an object:
 *   id          the same for all tries and channels
 *   created_at  RFC 3339: for what is a time in the message (so that a retry sends the same bytes)
 *   receiver, subject
 *   test        true: somebody asked for it by hand
 *   webhook     Alertmanager's webhook body, version 4
 *   rest        for a channel that wants it, see rest() below: `alerts`, those that webhook.alerts does not show, by
 *               labels, times, fingerprint and few annotations; `counted`, how many alerts fire that no message has
 *               named; `was_counted`, true if this channel may have been told of some such before */
typedef struct TocsinPlugin {
    size_t size;
    uint32_t abi; /* TOCSIN_PLUGIN_ABI */
    const TocsinKey *keys; /* ends at a NULL name; without `send_resolved`, which Tocsin keeps for itself */
    /* All problems that keys cannot say; pure and thread-safe. config_json: an object by `keys`. May be NULL. */
    void (*check)(const char *config_json, TocsinProblem *problem, void *ctx);
    /* One handle of many; host lives until destroy() has returned. NULL: it failed, and said why by host->log. */
    void *(*init)(const char *config_json, const TocsinHost *host);
    void (*deliver)(void *handle, const char *notification_json, TocsinDone *done, void *ctx); /* never blocks */
    void (*destroy)(void *handle); /* no service runs any more, no deliver() comes */
    /* What a notification tells this channel beyond the few alerts that a person is shown; asked for each. NULL:
     * TOCSIN_REST_NONE. */
    TocsinRest (*rest)(void *handle);
} TocsinPlugin;

/* The one symbol; what it returns lives as long as the process. */
__attribute__((visibility("default"))) const TocsinPlugin *tocsin_plugin(void);

#ifdef __cplusplus
}
#endif

#endif
