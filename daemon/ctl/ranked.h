/* Instances of alarms, as the socket lists them, in the order and with the name that a person looks for. */
#ifndef TOCSIN_CTL_RANKED_H
#define TOCSIN_CTL_RANKED_H

#include "base/json.h"

/* Those of the list, the worst state first, then by alarm and series; borrowed, the array is the caller's. */
const json_t **ranked_new(const json_t *instances);
/* Which series of its alarm it is, where polls find them: `checkout`, `checkout → payments`, an insight's id; "" for
 * others. Caller frees. */
char *ranked_series(const json_t *instance);
/* `faults checkout → payments`; caller frees. */
char *ranked_name(const json_t *instance);

#endif
