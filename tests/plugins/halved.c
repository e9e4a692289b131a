/* Right size and ABI, and no deliver(). */
#include "tocsin-plugin.h"

static const TocsinKey keys[] = {{NULL, NULL, NULL, NULL}};
static const TocsinPlugin plugin = {.size = sizeof(TocsinPlugin), .abi = TOCSIN_PLUGIN_ABI, .keys = keys};
const TocsinPlugin *tocsin_plugin(void) { return &plugin; }
