#include "alarms/discovery_section.h"

#include <stddef.h>

static const SchemaRow rows[] = {
    {.key = "every", .type = SCHEMA_LATER, .doc = "How often new series are looked for."},
    {.key = "grace",
        .type = SCHEMA_DURATION,
        .offset = offsetof(DiscoverySection, grace_s),
        .min = 60,
        .max = 30 * 86400,
        .fallback = "1h",
        .remedy = "a duration from 1m to 30d",
        .doc = "How long a service, an edge or another series that polls find may be absent from what they read before "
               "its instance goes: what fires is resolved with that reason. Until then its data is missing."},
    {.key = "max_instances",
        .type = SCHEMA_INTEGER,
        .offset = offsetof(DiscoverySection, max_instances),
        .min = 1,
        .max = 100000,
        .fallback = "10000",
        .remedy = "a whole number from 1 to 100000",
        .doc = "How many series one alarm may watch; of more, TocsinInstanceOverflow tells."},
    SCHEMA_END,
};

const SectionDescriptor discovery_section = {
    .key = "discovery",
    .doc = "Series that polls find.",
    .size = sizeof(DiscoverySection),
    .rows = rows,
};
