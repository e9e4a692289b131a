/* The table of sources, which `status` shows too. */
#ifndef TOCSIN_CTL_SOURCES_H
#define TOCSIN_CTL_SOURCES_H

#include "ctl/verb.h"

#include <jansson.h>

void sources_print(CtlContext *ctl, const json_t *sources);

#endif
