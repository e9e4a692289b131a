/* tocsinctl without its main(): global options, the choice of a verb, and its exit status. */
#ifndef TOCSIN_CTL_CTL_H
#define TOCSIN_CTL_CTL_H

#include "ctl/verb.h"

#define CTL_SOCKET "/run/tocsin/tocsin.sock" /* where --socket is absent */

/* The whole program; `schema` and `places` are for check-config and other verbs that read a configuration. Returns the
 * exit status. */
int ctl_main(int argc, char **argv, const SnapshotSchema *schema, CtlPlaces (*places)(const Snapshot *snapshot));
/* The same with its world given: what tests call. `ctl` needs all but `socket`. */
int ctl_run(CtlContext *ctl, int argc, char **argv);

#endif
