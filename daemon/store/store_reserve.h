/* Room put by for the day on which the disk is full: even a DELETE needs some then. `tocsin.reserve` beside the state
 * file, really allocated. Used by the thread that owns the connection. */
#ifndef TOCSIN_STORE_STORE_RESERVE_H
#define TOCSIN_STORE_STORE_RESERVE_H

#include <stdbool.h>

enum { RESERVE_BYTES = 16 << 20 }; /* several times the WAL, which is kept to 4 MiB */

/* Makes it where it is not there yet and where as much again stays free: a reserve that takes the last room is given
 * back at the next commit. True if it is there now. */
bool reserve_make(const char *directory);
/* Gives the room back. False if there was none. */
bool reserve_release(const char *directory);

#endif
