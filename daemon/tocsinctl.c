/* daemon/tocsinctl.c: the control tool: hands its command line and the configuration's schema to the verbs */
#include "base/secret.h"
#include "ctl/ctl.h"
#include "load.h"

#include <sys/prctl.h>

int main(int argc, char **argv) {
    prctl(PR_SET_DUMPABLE, 0); /* whoami holds keys */
    secret_guard_libraries();
    return ctl_main(argc, argv, &load_schema);
}
