/* An older or newer plugin as one of today's: what lies beyond its size is NULL. Pure; any thread. */
#ifndef TOCSIN_PLUGIN_ADOPT_H
#define TOCSIN_PLUGIN_ADOPT_H

#include "base/error.h"

#include "tocsin-plugin.h"

/* False: ERROR_INPUT, built for another ABI, too small, or without a function that it cannot do without. */
bool plugin_adopt(TocsinPlugin *ret_ours, const TocsinPlugin *theirs, Error *err);

#endif
