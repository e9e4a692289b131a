/* daemon/load.c: every section in the order of decoding, and what no section can check alone */
#include "load.h"

#include "alarms/alarm.h"
#include "alarms/discovery_section.h"
#include "aws/aws.h"
#include "control/section.h"
#include "engine/changes.h"
#include "engine/heartbeat.h"
#include "engine/settings.h"
#include "notify/inhibit_section.h"
#include "notify/interval_section.h"
#include "notify/route.h"
#include "plugin/receivers.h"
#include "sources/poll_section.h"
#include "sources/sigma_section.h"
#include "store/store_section.h"

static const SectionDescriptor *const sections[] = {
    &external_url_section,
    &log_section,
    &aws_section,
    &poll_section,
    &state_section,
    &history_section,
    &control_section,
    &plugins_section,
    &discovery_section,
    &sigma_section,
    &packs_section,
    &alarms_section,
    &receivers_section,
    &time_intervals_section,
    &route_section,
    &inhibit_rules_section,
    &heartbeat_section,
    &what_changed_section,
    NULL,
};

/* Nobody may get back what he could not take, however many stand between. */
static bool check_circle(Decoding *in, const ReceiversSection *receivers, const Receiver *first) {
    const Receiver *next = receiver_find(receivers, first->fallback);
    for (size_t i = 0; next && i < receivers->count; i++) {
        if (next == first)
            return problem_add(in->problems, first->fallback_at, "name one that does not lead back",
                "the fallback of `%.80s` leads back to itself", first->name);
        next = next->fallback ? receiver_find(receivers, next->fallback) : NULL;
    }
    return true;
}

static bool check_receiver(Decoding *in, const ReceiversSection *receivers, const char *name, Place at) {
    if (receiver_find(receivers, name)) return true;
    return problem_add(in->problems, at, "name one of `receivers`", "the receiver `%.80s` does not exist", name);
}

static bool check_fallbacks(Decoding *in, const ReceiversSection *receivers) {
    bool is_good = true;
    for (size_t i = 0; i < receivers->count; i++) {
        const Receiver *receiver = &receivers->receivers[i];
        if (!receiver->fallback || !receiver->name) continue;
        is_good = check_receiver(in, receivers, receiver->fallback, receiver->fallback_at) &&
            check_circle(in, receivers, receiver) && is_good;
    }
    return is_good;
}

/* With receivers there must be a route, and a route names one of them (contract 2). */
static bool cross_check(Decoding *in) {
    const ReceiversSection *receivers = snapshot_section(in->snapshot, &receivers_section);
    const RouteSection *routes = snapshot_section(in->snapshot, &route_section);
    if (receivers->count && !routes->is_given)
        return problem_add(in->problems, receivers->receivers[0].at, "add `route: {receiver: NAME}`",
            "there are receivers and no route: nobody would be told");
    bool is_good = check_fallbacks(in, receivers);
    for (const Route *route = &routes->root; route; route = route->next)
        if (route->names_receiver)
            is_good = check_receiver(in, receivers, route->receiver, route->receiver_at) && is_good;
    return is_good;
}

const SnapshotSchema load_schema = {.sections = sections, .cross_check = cross_check};
