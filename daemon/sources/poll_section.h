/* The `poll` section: how often each source is read. Owned by the snapshot; read by the sources when they plan. */
#ifndef TOCSIN_SOURCES_POLL_SECTION_H
#define TOCSIN_SOURCES_POLL_SECTION_H

#include "config/snapshot.h"

typedef enum { READ_EVENTS_AUTO, READ_EVENTS_YES, READ_EVENTS_NO } ReadEvents;

typedef struct PollSection {
    struct {
        int64_t every_s; /* 0: by the alarm's period */
    } cloudwatch;
    struct {
        int64_t every_s;
    } xray;
    struct {
        int64_t every_s, overlap_s, lookback_s;
        int read_events; /* ReadEvents */
    } cloudtrail;
} PollSection;

extern const SectionDescriptor poll_section;
extern const SchemaRow poll_rows[];

#endif
