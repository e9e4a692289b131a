#include "control/peer.h"

#include "../run.h"

#include <sys/socket.h>
#include <unistd.h>

enum { OWN_UID = 990, ADMIN = 50 };
static gid_t with_admin[] = {7, ADMIN, 8}, without[] = {7, 8}, unmapped[] = {PEER_UNMAPPED};

static const struct Case {
    const char *who;
    Peer peer;
    bool has_admin;
    gid_t admin;
    bool may;
} cases[] = {
    {"not known: fail closed, even as root", {.known = false, .uid = 0}, true, ADMIN, false},
    {"root", {.known = true, .uid = 0}, false, 0, true},
    {"the daemon's own user", {.known = true, .uid = OWN_UID, .gid = 3}, false, 0, true},
    {"somebody", {.known = true, .uid = 1000, .gid = 1000}, true, ADMIN, false},
    {"somebody in other groups", {true, 1000, 1000, 1, without, 2}, true, ADMIN, false},
    {"admin as primary group", {.known = true, .uid = 1000, .gid = ADMIN}, true, ADMIN, true},
    {"admin as a further group", {true, 1000, 1000, 1, with_admin, 3}, true, ADMIN, true},
    {"the group does not exist", {true, 1000, 1000, 1, with_admin, 3}, false, ADMIN, false},
    {"the group does not exist, and its number is 0", {.known = true, .uid = 1000, .gid = 0}, false, 0, false},
    {"root's group is not root", {.known = true, .uid = 1000, .gid = 0}, true, ADMIN, false},
    {"from another user namespace", {true, PEER_UNMAPPED, PEER_UNMAPPED, 1, unmapped, 1}, true, ADMIN, false},
    {"from another one, admin group nogroup", {true, PEER_UNMAPPED, PEER_UNMAPPED, 1, unmapped, 1}, true, PEER_UNMAPPED,
        false},
};
START_TEST(who_may_change) {
    const struct Case *c = &cases[_i];
    ck_assert_msg(peer_may_change(&c->peer, OWN_UID, c->has_admin, c->admin) == c->may, "%s", c->who);
}
END_TEST

START_TEST(the_kernel_tells) {
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    Peer peer;
    peer_init(&peer, pair[0]);
    ck_assert(peer.known);
    ck_assert_uint_eq(peer.uid, geteuid());
    ck_assert_uint_eq(peer.gid, getegid());
    ck_assert_int_eq(peer.pid, getpid());
    ck_assert_int_eq((int)peer.group_count, getgroups(0, NULL));
    peer_deinit(&peer);
    close(pair[0]);
    close(pair[1]);
    peer_init(&peer, pair[0]); /* closed: nothing is known */
    ck_assert(!peer.known);
    const int tcp = socket(AF_INET, SOCK_STREAM, 0);
    peer_init(&peer, tcp);
    ck_assert(!peer_may_change(&peer, geteuid(), false, 0));
    peer_deinit(&peer);
    close(tcp);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, who_may_change, 0, (int)(sizeof cases / sizeof *cases));
    tcase_add_test(tcase, the_kernel_tells);
}
int main(void) { return run_tests("peer", fill); }
