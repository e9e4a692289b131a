/* The same bytes for json_pull and for jansson. Holds: both take them or both refuse them, and both read the same
 * values. Two things apart: only jansson looks everywhere for keys that come twice, and it ends at a NUL or passes over
 * it, by where it stands. */
#include "fuzz.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/json_pull.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void hold(bool what) {
    if (!what) abort();
}

/* Takes the value at hand, which jansson has read as `same`; NULL: nothing is known of it. */
static void walk(JsonPull *in, const json_t *same) {
    JsonText text;
    double number;
    int64_t whole;
    bool flag;
    size_t count = 0;
    if (json_pull_open(in, '{')) {
        for (; json_pull_key(in, &text); count++) {
            hold(!memchr(text.bytes, '\0', text.length));
            const json_t *member = same ? json_object_getn(same, text.bytes, text.length) : NULL;
            hold(!same || member);
            walk(in, member);
        }
        hold(!same || json_object_size(same) == count);
    } else if (json_pull_open(in, '[')) {
        for (; json_pull_item(in); count++) walk(in, json_array_get(same, count));
        hold(!same || (json_is_array(same) && json_array_size(same) == count));
    } else if (json_pull_text(in, &text)) {
        hold(!same || (json_is_string(same) && json_string_length(same) == text.length));
        hold(!same || memcmp(json_string_value(same), text.bytes, text.length) == 0);
    } else if (json_pull_whole(in, &whole)) {
        hold(!same || (json_is_number(same) && json_number_value(same) == (double)whole));
    } else if (json_pull_number(in, &number)) {
        hold(fabs(number) >= 9e15 || number != trunc(number));
        hold(!same || (json_is_number(same) && json_number_value(same) == number));
    } else if (json_pull_flag(in, &flag)) {
        hold(!same || (json_is_boolean(same) && json_boolean_value(same) == flag));
    } else {
        hold(!same || (json_is_null(same) && json_pull_peek(in) == 'n'));
        json_pull_skip(in);
    }
}

static bool pull(const char *text, size_t length, const json_t *same) {
    JsonPull in;
    Error err = {0};
    json_pull_init(&in, text, length, &err);
    walk(&in, same);
    const bool is_json = json_pull_end(&in);
    json_pull_deinit(&in);
    hold(is_json == (err.kind == ERROR_NONE));
    return is_json;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    const bool has_nul = memchr(text, '\0', size) != NULL;
    OWN(json) json_t *tree = json_read_foreign(text, size, NULL);
    const bool taken = pull(text, size, has_nul ? NULL : tree);
    hold(taken || !tree || has_nul);
    if (!taken || tree) return 0;
    OWN(text) char *healed = json_heal(text, size);
    OWN(json) json_t *twice = json_loadb(healed ? healed : text, size, JSON_DECODE_ANY, NULL);
    hold(twice != NULL);
    return 0;
}
