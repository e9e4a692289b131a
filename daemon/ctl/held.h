/* Why people hear less of an alarm than it says, in a few words. */
#ifndef TOCSIN_CTL_HELD_H
#define TOCSIN_CTL_HELD_H

#include "base/json.h"

/* `acknowledged by ann: on it, silenced by ID, inhibited by FINGERPRINT` of an object of /v1/alarms; "" where nothing
 * holds it. Caller frees. */
char *held_words(const json_t *alarm);

#endif
