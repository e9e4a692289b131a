/* Sections that belong to the daemon as a whole: `external_url` and `log`. */
#ifndef TOCSIN_ENGINE_SETTINGS_H
#define TOCSIN_ENGINE_SETTINGS_H

#include "base/log.h"
#include "config/snapshot.h"

typedef struct ExternalUrl {
    const char *url; /* as configured, or http://HOSTNAME; no slash at its end */
} ExternalUrl;
extern const SectionDescriptor external_url_section;

typedef struct LogSection {
    int level, format; /* LogLevel, LogFormat */
} LogSection;
extern const SectionDescriptor log_section;

#endif
