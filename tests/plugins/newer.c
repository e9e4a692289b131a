/* Built for an ABI that does not exist yet. */
#include "tocsin-plugin.h"

static const TocsinKey keys[] = {{NULL, NULL, NULL, NULL}};
static const TocsinPlugin plugin = {.size = sizeof(TocsinPlugin), .abi = 99, .keys = keys};
const TocsinPlugin *tocsin_plugin(void) { return &plugin; }
