/* The table of configuration sections and the checks across them. Included by the two programs alone. */
#ifndef TOCSIN_LOAD_H
#define TOCSIN_LOAD_H

#include "config/snapshot.h"

extern const SnapshotSchema load_schema;

#endif
