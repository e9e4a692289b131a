/* The `receivers` and `plugins` sections: who is told, and by which plugins. Each channel's map is checked by its
 * plugin's key table and then by the plugin itself, and becomes the JSON text that the plugin is initialised with.
 * Decoded where the configuration is loaded; read anywhere. */
#ifndef TOCSIN_PLUGIN_RECEIVERS_H
#define TOCSIN_PLUGIN_RECEIVERS_H

#include "config/snapshot.h"

enum { RECEIVERS_MAX = 1000, RECEIVER_CHANNELS_MAX = 100, RECEIVER_NAME_MAX = 255 };

/* One map under a plugin's name. */
typedef struct Channel {
    const char *plugin;
    size_t index; /* which of several of one plugin in this receiver */
    bool send_resolved;
    const char *config_json; /* an object by the plugin's keys; secrets are numbers of the snapshot */
    const struct TocsinPlugin *module; /* lives as long as the process */
    Place at;
} Channel;

typedef struct Receiver {
    const char *name; /* unique */
    const Channel *channels; /* in the file's order; none: what it gets is dropped */
    size_t channel_count;
    const char *fallback; /* who gets what this one has failed to take for so long; NULL: nobody */
    int64_t fallback_after_s;
    Place fallback_at; /* of its receiver's name */
    Place at; /* of the name */
} Receiver;

typedef struct ReceiversSection {
    const Receiver *receivers;
    size_t count;
} ReceiversSection;

typedef struct PluginsSection {
    const char *directory; /* absolute; NULL: not given */
} PluginsSection;

/* `plugins` and `aws` must be decoded before `receivers`. */
extern const SectionDescriptor plugins_section;
extern const SectionDescriptor receivers_section;
extern const SchemaRow plugins_rows[];
extern const SchemaRow fallback_rows[]; /* of a receiver's `fallback`, for the manual */

const Receiver *receiver_find(const ReceiversSection *section, const char *name); /* NULL: unknown */

#endif
