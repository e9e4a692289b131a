#include "control/ring.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

struct EventText {
    size_t references, length;
    char *bytes;
};

static EventText *text_made(char *take_bytes) {
    EventText *text = alloc_zeroed(1, sizeof *text);
    *text = (EventText){.references = 1, .length = strlen(take_bytes), .bytes = take_bytes};
    return text;
}

EventText *event_text_new(const char *kind, const char *data) {
    return text_made(text_format("event: %s\ndata: %s\n\n", kind, data));
}

EventText *event_text_comment(const char *comment) { return text_made(text_format(": %s\n\n", comment)); }

EventText *event_text_free(EventText *text) {
    if (!text || --text->references > 0) return NULL;
    free(text->bytes);
    free(text);
    return NULL;
}

struct Ring {
    EventText *texts[RING_EVENTS];
    size_t first, count;
    size_t sent; /* bytes of the first that went out already */
};

Ring *ring_new(void) { return alloc_zeroed(1, sizeof(Ring)); }

Ring *ring_free(Ring *ring) {
    if (!ring) return NULL;
    for (size_t i = 0; i < ring->count; i++) event_text_free(ring->texts[(ring->first + i) % RING_EVENTS]);
    free(ring);
    return NULL;
}

bool ring_push(Ring *ring, EventText *text) {
    if (ring->count == RING_EVENTS) return false;
    text->references++;
    ring->texts[(ring->first + ring->count++) % RING_EVENTS] = text;
    return true;
}

bool ring_is_empty(const Ring *ring) { return ring->count == 0; }

static void drop_first(Ring *ring) {
    event_text_free(ring->texts[ring->first]);
    ring->first = (ring->first + 1) % RING_EVENTS;
    ring->count--;
    ring->sent = 0;
}

size_t ring_read(Ring *ring, char *into, size_t room) {
    size_t used = 0;
    while (ring->count > 0 && used < room) {
        const EventText *text = ring->texts[ring->first];
        const size_t left = text->length - ring->sent, take = left < room - used ? left : room - used;
        memcpy(into + used, text->bytes + ring->sent, take);
        used += take;
        ring->sent += take;
        if (ring->sent == text->length) drop_first(ring);
    }
    return used;
}
