/* daemon/tocsinctl.c: the control tool: hands its command line and the configuration's schema to the verbs */
#include "ctl/ctl.h"
#include "load.h"

int main(int argc, char **argv) { return ctl_main(argc, argv, &load_schema); }
