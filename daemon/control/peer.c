#include "control/peer.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

static bool groups_read(Peer *peer, int fd) {
    socklen_t length = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &length) && errno != ERANGE) return false;
    if (length > PEER_GROUPS_MAX * sizeof(gid_t)) return false;
    if (length == 0) return true;
    peer->groups = alloc_zeroed(length / sizeof(gid_t) + 1, sizeof(gid_t));
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer->groups, &length)) return false;
    peer->group_count = length / sizeof(gid_t);
    return true;
}

void peer_init(Peer *peer, int fd) {
    *peer = (Peer){0};
    struct ucred who;
    socklen_t length = sizeof who;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) || length != sizeof who) return;
    peer->uid = who.uid;
    peer->gid = who.gid;
    peer->pid = who.pid;
    peer->known = groups_read(peer, fd);
}

void peer_deinit(Peer *peer) {
    free(peer->groups);
    *peer = (Peer){0};
}

bool peer_may_change(const Peer *peer, uid_t own, bool has_admin, gid_t admin_gid) {
    if (!peer->known) return false;
    if (peer->uid == 0 || peer->uid == own) return true;
    if (!has_admin || admin_gid == PEER_UNMAPPED) return false;
    if (peer->gid == admin_gid) return true;
    for (size_t i = 0; i < peer->group_count; i++)
        if (peer->groups[i] == admin_gid) return true;
    return false;
}
