#include "plugin/adopt.h"

#include <string.h>

/* What ABI 1 had on its first day: less was never a plugin. */
enum { PLUGIN_SIZE_MIN = offsetof(TocsinPlugin, destroy) + sizeof(void (*)(void *)) };

bool plugin_adopt(TocsinPlugin *ret_ours, const TocsinPlugin *theirs, Error *err) {
    if (!theirs) return error_set(err, ERROR_INPUT, "its tocsin_plugin() gave nothing");
    if (theirs->size < PLUGIN_SIZE_MIN)
        return error_set(
            err, ERROR_INPUT, "it says that its size is %zu bytes, less than any plugin has", theirs->size);
    if (theirs->abi != TOCSIN_PLUGIN_ABI)
        return error_set(
            err, ERROR_INPUT, "it was built for ABI %u, this Tocsin has ABI %d", theirs->abi, TOCSIN_PLUGIN_ABI);
    TocsinPlugin ours = {0};
    memcpy(&ours, theirs, theirs->size < sizeof ours ? theirs->size : sizeof ours);
    if (!ours.keys || !ours.init || !ours.deliver || !ours.destroy)
        return error_set(err, ERROR_INPUT, "it lacks one of keys, init, deliver and destroy");
    *ret_ours = ours;
    return true;
}
