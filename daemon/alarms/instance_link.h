/* Where a person sees in the AWS console what an instance is about. Made when it is asked for: of very many instances
 * the links alone would take a fifth of the memory. Loop thread. */
#ifndef TOCSIN_ALARMS_INSTANCE_LINK_H
#define TOCSIN_ALARMS_INSTANCE_LINK_H

#include "alarms/instance.h"

char *instance_link(const Instance *instance); /* "" where there is none; caller frees */
/* The alarm lets go of it, and what it says of the place stays: before `alarm` becomes NULL. */
void instance_keep_link(Instance *instance);

#endif
