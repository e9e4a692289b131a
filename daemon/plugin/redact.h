/* Receivers repeat what they were sent. What a receiver said goes into logs, errors and the state file, so the secrets
 * of the configuration are taken out of it first (I18): as they are, in base64 as a login carries them, and for an
 * address the part behind its host. Pure; loop thread. */
#ifndef TOCSIN_PLUGIN_REDACT_H
#define TOCSIN_PLUGIN_REDACT_H

#include "config/snapshot.h"

enum { REDACT_LENGTH_MIN = 4, REDACT_LENGTH_MAX = 4096 }; /* a shorter secret would take letters out of words */

/* `text` with `[secret]` for each of them; caller frees. */
char *redact(const Snapshot *snapshot, const char *text);

#endif
