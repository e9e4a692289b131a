/* Going the way to the base keys: from its far end, each source with the keys of the one before, one after another.
 * Loop thread. */
#ifndef TOCSIN_AWS_WALK_H
#define TOCSIN_AWS_WALK_H

#include "aws/core.h"
#include "aws/way.h"

typedef struct Walk Walk;
/* Once, on the loop, never inside walk_start(). Keys are taken; NULL: `failure` says which source, why, and what to do.
 */
typedef void WalkDone(void *ctx, AwsKeys *take_keys, const AwsFailure *failure);

Walk *walk_start(Aws *aws, Way *take_way, WalkDone *done, void *ctx);
void walk_cancel(Walk *walk); /* `done` runs before this returns */

#endif
