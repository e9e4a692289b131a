/* daemon/tocsinctl.c: the control tool: hands its command line and the configuration's schema to the verbs */
#include "base/secret.h"
#include "control/section.h"
#include "ctl/ctl.h"
#include "engine/heartbeat.h"
#include "load.h"
#include "net/lookups.h"
#include "store/store_section.h"

#include <sys/prctl.h>

/* Of the sections of folders that the verbs may not use. */
static CtlPlaces places(const Snapshot *snapshot) {
    const StateSection *state = snapshot_section(snapshot, &state_section);
    const ControlSection *control = snapshot_section(snapshot, &control_section);
    const HeartbeatSection *heartbeat = snapshot_section(snapshot, &heartbeat_section);
    return (CtlPlaces){.state_directory = state->directory,
        .socket = control->socket,
        .heartbeat_url = heartbeat->url,
        .heartbeat_secret = heartbeat->url_secret};
}

int main(int argc, char **argv) {
    prctl(PR_SET_DUMPABLE, 0); /* whoami holds keys */
    secret_guard_libraries();
    lookups_prepare();
    return ctl_main(argc, argv, &load_schema, places);
}
