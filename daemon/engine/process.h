/* This process as Prometheus' client libraries show it: time, memory, descriptors. Loop thread. */
#ifndef TOCSIN_ENGINE_PROCESS_H
#define TOCSIN_ENGINE_PROCESS_H

#include "base/metrics.h"

#include <stdint.h>

/* Sets the gauges `process_*`; `started_ms`: when it began, UTC. Reads the kernel's own tables, no disk. */
void process_refresh_metrics(Metrics *metrics, int64_t started_ms);

#endif
