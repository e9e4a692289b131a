/* What ended and was told to everyone needs not be kept open any longer: the instance forgets that it fired, and one
 * that is gone goes. A commit of its own behind that of the turn: of two groups that tell of one end at one time
 * neither is the last. A crash between the two is made good by closing_of_all() at the next start. Loop thread. */
#ifndef TOCSIN_ENGINE_CLOSING_H
#define TOCSIN_ENGINE_CLOSING_H

#include "engine/core.h"

typedef struct Closing Closing;
Closing *closing_new(Core *core, size_t room); /* `room`: how many may be added */
/* Nothing where it fires, is closed, or a group has still to tell of it. NULL: nothing. */
void closing_add(Closing *closing, const Instance *instance);
void closing_commit(Closing *take_closing); /* memory follows the file, unless it fired again meanwhile */
/* After a start or a reload: routes are gone, or a crash came between two commits. */
void closing_of_all(Core *core);

#endif
