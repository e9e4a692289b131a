/* What a turn's message shows and names. To people it shows a few alerts. A program that keeps a state for each, as
 * PagerDuty does, is a keeper: it must hear the begin and the end of the others as well, by name. Each member of a
 * group remembers that all keepers of its receiver know it by name; who came later knows none, and so they are named
 * again. Of those that fire the first REST_MAX are named, and the others counted until there is room. No end of what a
 * keeper may know is lost: what has no room in one message is put off to the next. Pure; loop thread. */
#ifndef TOCSIN_NOTIFY_REST_H
#define TOCSIN_NOTIFY_REST_H

#include "notify/turn.h"

enum {
    REST_MAX = 500, /* named of those that fire, and of those that ended; a rest in one message has at most */
    REST_BYTES_MAX = 2 << 20,
    REST_ENDS_BYTES_MAX = 1 << 20, /* of them for what ended */
    REST_SOME = 1 /* who knows an alert by name, where not all keepers do */
};

/* The receiver's keepers as one number, above REST_SOME, another where one of them is another. 0: it has none. */
uint32_t rest_keepers(const ReceiverChannel *channels, size_t count);
/* Does a message of this reason go there? */
bool channel_gets(const ReceiverChannel *channel, const char *reason, size_t firing);

/* Which ends the turn's message names; those that a keeper may know and that have no room are held, and put off: how
 * many. The turn's alerts are known, its reason is not yet. */
size_t rest_put_off(GroupTurn *turn, const ReceiverChannel *channels, size_t count);
/* Thereafter, for a turn that has a reason: fills its names. */
void rest_choose(GroupTurn *turn, const ReceiverChannel *channels, size_t count);
/* Who knows it by name once the turn is told, as one number; 0: as before. */
uint32_t rest_named_by(const GroupTurn *turn, const GroupAlert *alert);
/* The keepers are told now that this fires. */
bool rest_is_news(const GroupAlert *alert);

#endif
