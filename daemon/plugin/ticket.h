/* Numbers in place of pointers for what is handed to plugins. A plugin may call back late, twice, or after everything
 * that knew of the call is freed; a number is looked up and is simply not there any more. The table is the process's,
 * since a number is all that comes back. Safe on every thread. */
#ifndef TOCSIN_PLUGIN_TICKET_H
#define TOCSIN_PLUGIN_TICKET_H

#include <stdint.h>

uintptr_t ticket_issue(void *object); /* never 0, never given twice */
void *ticket_object(uintptr_t ticket); /* NULL: not known any more */
void ticket_drop(uintptr_t ticket); /* an unknown one is fine */

#endif
