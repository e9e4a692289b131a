/* The configuration's `state` and `history` sections. */
#ifndef TOCSIN_STORE_STORE_SECTION_H
#define TOCSIN_STORE_STORE_SECTION_H

#include "config/snapshot.h"

typedef struct StateSection {
    const char *directory; /* never NULL */
} StateSection;
extern const SectionDescriptor state_section;

typedef struct HistorySection {
    int64_t keep_s, max_rows;
} HistorySection;
extern const SectionDescriptor history_section;

#endif
