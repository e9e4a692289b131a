/* One channel's map, read by its plugin's key table and checked by the plugin: from nodes to the JSON text that the
 * plugin is given. Called where the configuration is loaded. */
#ifndef TOCSIN_PLUGIN_CHANNEL_H
#define TOCSIN_PLUGIN_CHANNEL_H

#include "plugin/receivers.h"

/* Reads `node` (the value at `key`, or one item of the list there) into `ret_channel`, whose plugin, index and module
 * are set. All problems are added; false if there was an error. */
bool channel_decode(Decoding *in, const Node *key, const Node *node, Channel *ret_channel);

#endif
