/* How libc and libuv look names up, for both programs: what the doctor finds is what the daemon would find. */
#ifndef TOCSIN_NET_LOOKUPS_H
#define TOCSIN_NET_LOOKUPS_H

/* Once, in main(), before any thread, loop or lookup: sets the environment that libc and libuv read. RES_OPTIONS of the
 * person's own stays. */
void lookups_prepare(void);

#endif
