/* daemon/engine/receiver_test.c: one try of a made-up message to each plugin of a receiver, past the outbox */
#include "engine/parts.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "engine/settings.h"
#include "notify/render.h"
#include "plugin/receivers.h"

#include <stdlib.h>

typedef struct ReceiverTest {
    EngineTested *done;
    void *ctx;
    size_t waiting, count;
    ReceiverTestResult results[];
} ReceiverTest;

typedef struct ChannelTest {
    ReceiverTest *test;
    size_t index;
} ChannelTest;

static void finish(ReceiverTest *test) {
    test->done(test->ctx, ENGINE_DONE, test->results, test->count);
    for (size_t i = 0; i < test->count; i++) {
        free((char *)test->results[i].plugin);
        free((char *)test->results[i].detail);
    }
    free(test);
}

static void answered(void *ctx, const PluginDelivery *delivery) {
    ChannelTest *channel = ctx;
    ReceiverTest *test = channel->test;
    test->results[channel->index].outcome = plugin_outcome_word(delivery);
    test->results[channel->index].detail = text_copy(delivery->detail);
    free(channel);
    if (--test->waiting == 0) finish(test);
}

void engine_receiver_test(Engine *engine, const char *name, EngineTested *done, void *ctx) {
    const Snapshot *snapshot = engine->core.snapshot;
    const Receiver *receiver = receiver_find(snapshot_section(snapshot, &receivers_section), name);
    if (!receiver || !receiver->channel_count) {
        done(ctx, receiver ? ENGINE_DONE : ENGINE_NOT_FOUND, NULL, 0);
        return;
    }
    const ExternalUrl *external = snapshot_section(snapshot, &external_url_section);
    const size_t count = receiver->channel_count;
    ReceiverTest *test = alloc_zeroed(1, sizeof *test + count * sizeof *test->results);
    test->done = done;
    test->ctx = ctx;
    test->count = test->waiting = count;
    for (size_t i = 0; i < count; i++) {
        const Channel *channel = &receiver->channels[i];
        char id[UUID_TEXT];
        OWN(text) char *message = render_test(uuid_make(id), name, external->url, clock_wall_ms(engine->core.clock));
        test->results[i] = (ReceiverTestResult){.plugin = text_copy(channel->plugin), .index = channel->index};
        ChannelTest *one = alloc_zeroed(1, sizeof *one);
        *one = (ChannelTest){test, i};
        plugin_host_deliver(engine->host, name, channel->plugin, channel->index, message, answered, one);
    }
}
