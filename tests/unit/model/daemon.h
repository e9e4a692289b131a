/* The real engine, with its store, its outbox and the webhook plugin, in virtual time. Only what lies at its two ends
 * is a stand-in: the poller, whose alarms are what this says, and HTTP, which keeps what is posted. */
#ifndef TOCSIN_TESTS_MODEL_DAEMON_H
#define TOCSIN_TESTS_MODEL_DAEMON_H

#include "model.h"

#include "base/digest.h"
#include "engine/parts.h"

typedef struct Daemon {
    char folder[80], file[112];
    uv_loop_t loop;
    Clock *clock;
    Engine *engine;
    char fingerprints[SPEC_ALERTS][FINGERPRINT_TEXT];
    Spec spec; /* as it was written last */
    Said said; /* since it was last emptied; what comes twice with one id is said once */
    struct Posted *posted; /* by id */
    bool refuses[SPEC_RECEIVERS];
    size_t owed[SPEC_RECEIVERS]; /* messages that were posted and not taken */
} Daemon;

/* Around all of them, in the process that outlives a test that fails. */
void daemon_folder_make(void);
void daemon_folder_remove(void);
/* One at a time. */
void daemon_init(Daemon *daemon, const Spec *spec, int64_t start_s);
void daemon_deinit(Daemon *daemon);
int64_t daemon_now_s(const Daemon *daemon);
void daemon_pass(Daemon *daemon, int64_t seconds); /* the clock; nothing runs */
void daemon_write(Daemon *daemon, const Spec *spec); /* its configuration file */

/* All that is due is done when these return, as far as the disk lets it. */
void daemon_run(Daemon *daemon);
void daemon_start(Daemon *daemon);
void daemon_reload(Daemon *daemon);
void daemon_feed(Daemon *daemon, const bool fires[SPEC_ALERTS]); /* what a poll found */
bool daemon_fires(Daemon *daemon, size_t alert); /* as far as it knows */
/* False: it was not taken. */
bool daemon_acknowledge(Daemon *daemon, size_t alert, int64_t until_s); /* MODEL_FOREVER: no end */
bool daemon_unacknowledge(Daemon *daemon, size_t alert);
bool daemon_silence(
    Daemon *daemon, const SpecMatchers *matchers, int64_t starts_s, int64_t ends_s, char ret_id[UUID_TEXT]);
bool daemon_unsilence(Daemon *daemon, const char *id);

/* A receiver that takes nothing; then: does it lack a message, or an earlier one whose line begins so (up to now)? */
void daemon_refuse(Daemon *daemon, size_t receiver, bool refuses);
bool daemon_owes(const Daemon *daemon, size_t receiver);
bool daemon_waits(const Daemon *daemon, const char *line, size_t length);

/* The power goes when the disk was written to so often: nothing is written from then on. */
void daemon_die_after(Daemon *daemon, size_t writes);
void daemon_live(Daemon *daemon); /* that was called off */
bool daemon_is_dead(const Daemon *daemon);
void daemon_fill_disk(Daemon *daemon, bool is_full); /* nothing can be written, and the daemon lives on */
bool daemon_is_behind(const Daemon *daemon); /* the disk lacks what it knows: it tells nobody anything yet */
void daemon_kill(Daemon *daemon); /* it is gone; what the disk holds stays */
void daemon_stop(Daemon *daemon); /* in an orderly way */

#endif
