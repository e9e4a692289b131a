#include "webhook/template.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_ROOM = 256 };

/* --- the names --- */

static const char each_name[] = "each alerts";
static const char *const message_names[] = {"id", "created_at", "receiver", "subject", "test", "version", "status",
    "groupKey", "groupLabels", "commonLabels", "commonAnnotations", "externalURL", "truncatedAlerts",
    "notification_reason", "alerts", NULL};
static const char *const alert_names[] = {
    "status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint", NULL};
/* Of these a part may be named: `labels.team`. */
static const char *const map_names[] = {
    "groupLabels", "commonLabels", "commonAnnotations", "labels", "annotations", NULL};

static bool is_among(const char *word, size_t length, const char *const *names) {
    for (; *names; names++)
        if (strlen(*names) == length && strncmp(*names, word, length) == 0) return true;
    return false;
}

/* --- a place `{{ NAME }}` in a text --- */

typedef struct Slot {
    const char *begin, *end; /* of all of it */
    char name[NAME_ROOM]; /* without the blanks around it; "" where it is too long, or not closed */
} Slot;

static bool slot_next(const char *text, Slot *ret) {
    ret->begin = strstr(text, "{{");
    if (!ret->begin) return false;
    const char *from = ret->begin + 2, *to = strstr(from, "}}");
    ret->name[0] = '\0';
    ret->end = to ? to + 2 : from;
    if (!to) return true;
    from += strspn(from, " ");
    size_t length = to > from ? (size_t)(to - from) : 0;
    while (length && from[length - 1] == ' ') length--;
    if (length < sizeof ret->name) snprintf(ret->name, sizeof ret->name, "%.*s", (int)length, from);
    return true;
}

static bool is_whole(const char *text, const Slot *slot) { return slot->begin == text && !*slot->end; }

static const json_t *each_item(const json_t *list) {
    const char *first = json_string_value(json_array_get(list, 0));
    Slot slot;
    if (!first || !slot_next(first, &slot) || !is_whole(first, &slot) || strcmp(slot.name, each_name) != 0) return NULL;
    return json_array_size(list) == 2 ? json_array_get(list, 1) : NULL;
}

/* --- check --- */

typedef struct Checking {
    const char *text;
    TemplateProblem *problem;
    void *ctx;
    size_t places; /* slots passed so far: the next one's number in the text */
    bool good;
} Checking;

static void __attribute__((format(printf, 4, 5)))
say(Checking *checking, const char *at, const char *remedy, const char *format, ...) {
    size_t line = 1, column = 1;
    for (const char *p = checking->text; p < at; p++) {
        column = *p == '\n' ? 1 : column + ((*p & 0xc0) != 0x80);
        line += *p == '\n';
    }
    va_list args;
    va_start(args, format);
    OWN(text) char *what = text_format_v(format, args);
    va_end(args);
    OWN(text) char *placed = text_format("line %zu, column %zu: %s", line, column, what);
    checking->problem(checking->ctx, placed, remedy);
    checking->good = false;
}

/* Where the `number`th slot of the document stands: jansson keeps the order of the text. */
static const char *slot_at(const Checking *checking, size_t number) {
    const char *at = strstr(checking->text, "{{");
    for (; at && number > 1; number--) at = strstr(at + 2, "{{");
    return at ? at : checking->text;
}

static const char *remedy_of(const char *name, size_t length, bool in_each, char room[static NAME_ROOM]) {
    OWN(text) char *first = text_copy_length(name, length);
    const char *near = text_nearest(first, message_names);
    if (in_each && !near) near = text_nearest(first, alert_names);
    snprintf(room, NAME_ROOM, near ? "did you mean `%s`?" : "a value of the notification, such as subject or status",
        near ? near : "");
    return room;
}

static void check_slot(Checking *checking, const Slot *slot, bool in_each) {
    const char *at = slot_at(checking, ++checking->places);
    const size_t first = strcspn(slot->name, ".");
    const bool is_known = is_among(slot->name, first, message_names);
    const bool is_alerts = is_among(slot->name, first, alert_names);
    char room[NAME_ROOM];
    if (!*slot->name)
        say(checking, at, "{{ subject }}", "`{{` begins no value's name");
    else if (strcmp(slot->name, each_name) == 0)
        say(checking, at, "[\"{{ each alerts }}\", {...}]", "`each alerts` stands alone, first in a list of two");
    else if (!is_known && is_alerts && !in_each)
        say(checking, at, "put it into a list that begins with \"{{ each alerts }}\"",
            "`%.80s` is a value of one alert", slot->name);
    else if (!is_known && !is_alerts)
        say(checking, at, remedy_of(slot->name, first, in_each, room), "no value is named `%.80s`", slot->name);
    else if (slot->name[first] && !is_among(slot->name, first, map_names))
        say(checking, at, "its name alone", "`%.80s`: `%.*s` has no parts", slot->name, (int)first, slot->name);
}

static void check_text(Checking *checking, const char *text, bool in_each) {
    Slot slot;
    for (; slot_next(text, &slot); text = slot.end) check_slot(checking, &slot, in_each);
}

static void check_value(Checking *checking, const json_t *value, bool in_each);

static void check_list(Checking *checking, const json_t *list, bool in_each) {
    const json_t *item = in_each ? NULL : each_item(list); /* one inside another would say all for each */
    if (item) checking->places++;
    if (item) check_value(checking, item, true);
    for (size_t i = 0; !item && i < json_array_size(list); i++) check_value(checking, json_array_get(list, i), in_each);
}

static void check_value(Checking *checking, const json_t *value, bool in_each) {
    const char *key;
    json_t *below;
    if (json_is_string(value)) check_text(checking, json_string_value(value), in_each);
    if (json_is_array(value)) check_list(checking, value, in_each);
    json_object_foreach((json_t *)(uintptr_t)value, key, below) {
        if (strstr(key, "{{"))
            say(checking, slot_at(checking, ++checking->places), "a fixed name", "a key cannot be a value");
        check_value(checking, below, in_each);
    }
}

bool template_check(const char *text, TemplateProblem *problem, void *ctx) {
    Checking checking = {text, problem, ctx, 0, true};
    Error why = {0};
    OWN(json) json_t *root = json_read(text, strlen(text), &why);
    if (!root) {
        OWN(text) char *what = text_format("it is no JSON: %s", why.text);
        problem(ctx, what, "a JSON document; values stand inside its texts, as in {\"text\": \"{{ subject }}\"}");
        return false;
    }
    check_value(&checking, root, false);
    if (checking.places > TEMPLATE_PLACES_MAX) {
        OWN(text) char *what = text_format("it has more than %d values", TEMPLATE_PLACES_MAX);
        problem(ctx, what, NULL);
        return false;
    }
    return checking.good;
}

/* --- expansion --- */

typedef struct Expanding {
    const Notice *notice;
    const json_t *alert; /* NULL: not inside `each` */
    size_t bytes; /* put in so far, about */
} Expanding;

/* The value, or NULL where the message has none. Borrowed. */
static const json_t *value_of(const Expanding *expanding, const char *name) {
    char first[NAME_ROOM];
    const size_t length = strcspn(name, ".");
    snprintf(first, sizeof first, "%.*s", (int)length, name);
    const json_t *found = json_object_get(expanding->alert, first);
    if (!found) found = json_object_get(expanding->notice->webhook, first);
    if (!found) found = json_object_get(expanding->notice->root, first);
    return name[length] ? json_object_get(found, name + length + 1) : found;
}

static void put_value(Expanding *expanding, const json_t *value, Buffer *out) {
    if (!value || json_is_null(value)) return;
    OWN(text) char *text = json_is_string(value) ? text_copy(json_string_value(value)) : json_write(value);
    buffer_text(out, text);
    expanding->bytes += strlen(text);
}

/* A text that is nothing but a value becomes that value, of its own type. New reference. */
static json_t *expand_whole(Expanding *expanding, const char *name) {
    const json_t *value = value_of(expanding, name);
    if (!value) return json_string("");
    expanding->bytes += json_dumpb(value, NULL, 0, JSON_ENCODE_ANY);
    return json_incref((json_t *)(uintptr_t)value); /* shared, and changed by nobody */
}

static json_t *expand_text(Expanding *expanding, const char *text) {
    OWN(buffer) Buffer out = BUFFER((size_t)TEMPLATE_BODY_MAX);
    Slot slot;
    if (slot_next(text, &slot) && is_whole(text, &slot)) return expand_whole(expanding, slot.name);
    for (; slot_next(text, &slot); text = slot.end) {
        buffer_add(&out, text, (size_t)(slot.begin - text));
        put_value(expanding, value_of(expanding, slot.name), &out);
    }
    buffer_text(&out, text);
    expanding->bytes += out.used + (out.overflow ? TEMPLATE_BODY_MAX : 0);
    return json_safe(buffer_string(&out));
}

static json_t *expand(Expanding *expanding, const json_t *value);

static json_t *expand_list(Expanding *expanding, const json_t *list) {
    json_t *into = json_array();
    const json_t *item = expanding->alert ? NULL : each_item(list);
    const json_t *alerts = json_list(expanding->notice->webhook, "alerts");
    for (size_t i = 0; item && i < json_array_size(alerts) && expanding->bytes <= TEMPLATE_BODY_MAX; i++) {
        expanding->alert = json_array_get(alerts, i);
        json_array_append_new(into, expand(expanding, item));
    }
    if (item) expanding->alert = NULL;
    for (size_t i = 0; !item && i < json_array_size(list); i++)
        json_array_append_new(into, expand(expanding, json_array_get(list, i)));
    return into;
}

static json_t *expand_map(Expanding *expanding, const json_t *map) {
    json_t *into = json_object();
    const char *key;
    json_t *below;
    json_object_foreach((json_t *)(uintptr_t)map, key, below) json_object_set_new(into, key, expand(expanding, below));
    return into;
}

static json_t *expand(Expanding *expanding, const json_t *value) {
    if (expanding->bytes > TEMPLATE_BODY_MAX) return json_null();
    expanding->bytes++;
    if (json_is_string(value)) return expand_text(expanding, json_string_value(value));
    if (json_is_array(value)) return expand_list(expanding, value);
    if (json_is_object(value)) return expand_map(expanding, value);
    return json_incref((json_t *)(uintptr_t)value);
}

char *template_body(const char *text, const Notice *notice) {
    OWN(json) json_t *root = json_read(text, strlen(text), NULL);
    Expanding expanding = {.notice = notice};
    OWN(json) json_t *body = expand(&expanding, root);
    return expanding.bytes > TEMPLATE_BODY_MAX ? NULL : json_write(body);
}
