/* One daemon a state directory: an flock on `tocsin.lock`, with the holder's pid inside for people and messages. The
 * kernel lets go of it when the process ends, however it ends. */
#ifndef TOCSIN_STORE_STORE_LOCK_H
#define TOCSIN_STORE_STORE_LOCK_H

#include "base/error.h"

/* Makes the directory (0700) if its parent exists, and takes the lock. Returns a descriptor to close at the end, or -1:
 * ERROR_INPUT, the directory cannot be used, or another daemon holds it (its pid is named). */
int store_lock(const char *directory, Error *err);

#endif
