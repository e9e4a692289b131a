// The installed header as a C++ plugin sees it.
#include "tocsin-plugin.h"

namespace {
const TocsinKey keys[] = {{"word", "required text", nullptr, "A word."}, {nullptr, nullptr, nullptr, nullptr}};
void *init(const char *, const TocsinHost *host) {
    return TOCSIN_HAS(TocsinHost, host, sha256) ? const_cast<TocsinHost *>(host) : nullptr;
}
void deliver(void *, const char *, TocsinDone *done, void *ctx) {
    TocsinResult result = {};
    result.size = sizeof result;
    result.outcome = TOCSIN_DELIVERED;
    done(ctx, &result);
}
void destroy(void *) {}
TocsinRest rest(void *) { return TOCSIN_REST_CHANGED; }
const TocsinPlugin plugin = {sizeof(TocsinPlugin), TOCSIN_PLUGIN_ABI, keys, nullptr, init, deliver, destroy, rest};
} // namespace

const TocsinPlugin *tocsin_plugin(void) { return &plugin; }
