/* Who is at the other end of a connection, in numbers that the kernel gave at accept; never made into text and back. */
#ifndef TOCSIN_CONTROL_PEER_H
#define TOCSIN_CONTROL_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { PEER_GROUPS_MAX = 65536 /* the kernel's NGROUPS_MAX */, PEER_UNMAPPED = 65534 };

typedef struct Peer {
    bool known; /* the kernel told; false for TCP and after any error: then nothing may be changed */
    uid_t uid;
    gid_t gid;
    pid_t pid; /* for the log alone: it may be another process by now */
    gid_t *groups;
    size_t group_count;
} Peer;

void peer_init(Peer *peer, int fd); /* asks the kernel (SO_PEERCRED, SO_PEERGROUPS) */
void peer_deinit(Peer *peer);
/* May this peer change something? uid 0, `own` (the daemon's uid), or a member of the admin group. A group outside our
 * user namespace shows as PEER_UNMAPPED, which therefore never counts as a member's. Pure. */
bool peer_may_change(const Peer *peer, uid_t own, bool has_admin, gid_t admin_gid);

#endif
