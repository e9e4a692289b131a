#include "ctl/held.h"

#include "base/alloc.h"
#include "base/buffer.h"

enum { WORDS_BYTES = 8192, NAMED = 3 };

static void add_names(Buffer *out, const char *what, const json_t *names) {
    const size_t count = json_array_size(names);
    if (!count) return;
    buffer_format(out, "%s%s by", out->used ? ", " : "", what);
    for (size_t i = 0; i < count && i < NAMED; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        buffer_format(out, " %s", name ? name : "?");
    }
    if (count > NAMED) buffer_format(out, " and %zu more", count - NAMED);
}

char *held_words(const json_t *alarm) {
    Buffer out = BUFFER((size_t)WORDS_BYTES);
    const json_t *ack = json_map(alarm, "acknowledged");
    const char *by = json_text(ack, "by"), *comment = json_text(ack, "comment");
    if (by) buffer_format(&out, "acknowledged by %s%s%s", by, comment && *comment ? ": " : "", comment ? comment : "");
    add_names(&out, "silenced", json_list(alarm, "silenced_by"));
    add_names(&out, "inhibited", json_list(alarm, "inhibited_by"));
    return buffer_take(&out);
}
