/* What the plugin tests share: a folder with a configuration, and stand-ins for HTTP, mail and AWS that keep what was
 * asked and answer what they were told. */
#ifndef TOCSIN_TESTS_PLUGIN_WORLD_H
#define TOCSIN_TESTS_PLUGIN_WORLD_H

#include "plugin/host.h"

/* Loads `yaml` from a file `t.yaml` in a fresh folder, which holds `secret` (the word hush), `odd` and `address`, with
 * the plugins of `directory`. `ret_problems` gets the lines, caller frees. */
Snapshot *world_load(const char *directory, const char *yaml, bool check_only, char **ret_problems);

/* The last request that the stand-ins were given, as text, and the answer that they give. */
typedef struct World {
    uv_loop_t loop;
    char *asked; /* the head: what it was, and its members, one a line */
    char *body; /* HTTP body, mail, AWS body, as they were */
    HttpAnswer http;
    HttpAnswer script[4]; /* in place of `http`: one a request, the last for the rest */
    size_t scripted, answered;
    int requests;
    MailAnswer mail;
    AwsAnswer aws;
} World;

void world_init(World *world);
void world_deinit(World *world); /* runs the loop to its end */
Http *world_http(World *world);
Aws *world_aws(World *world);

/* What a delivery became, as it is told. */
typedef struct Told {
    int count;
    PluginOutcome outcome;
    bool timed_out;
    int64_t retry_after_ms;
    bool went_on;
    char detail[PLUGIN_DETAIL_MAX + 1], receipt[200];
} Told;
void world_told(void *told, const PluginDelivery *delivery); /* a PluginDone */
void world_run_until_told(World *world, const Told *told); /* a deadline of the test's own time limit */

/* A canonical notification with `alerts` alerts, in the words that `render` uses. Caller frees. */
char *world_notification(size_t alerts, const char *status);

#endif
