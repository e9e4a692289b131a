#include "alarms/instance_link.h"

#include "base/alloc.h"

static bool has_made_link(const Instance *i) {
    const Source *source = i->alarm ? i->alarm->source : NULL;
    return source && !source->has_events && source->console_url;
}

char *instance_link(const Instance *i) {
    if (i->facts.console_url) return text_copy(i->facts.console_url);
    if (!has_made_link(i)) return text_copy("");
    return i->alarm->source->console_url(i->alarm->selector, i->series, i->region, i->since_ms);
}

void instance_keep_link(Instance *i) {
    if (!i->facts.console_url && has_made_link(i) && i->firing_since_ms) i->facts.console_url = instance_link(i);
}
