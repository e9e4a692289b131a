/* `{admins: [alice, 'b*'], office: 192.0.2.0/24}`: what placeholders stand for. */
#include "rules/sigma_set.h"

#include <string.h>

static bool read_one(Arena *arena, const NodeEntry *entry, SigmaPlaceholder *ret, Problems *all) {
    const Node *value = entry->value;
    const size_t count = value->kind == NODE_LIST ? value->count : 1;
    const Node *const *items = value->kind == NODE_LIST ? value->items : &value;
    if (!entry->key->length || strchr(entry->key->text, '%'))
        return problem_add(
            all, entry->key->at, "without the percent signs", "`%.80s` cannot name a placeholder", entry->key->text);
    if (count > SIGMA_VALUES_MAX)
        return problem_add(all, value->at, "use wildcards", "more than %d values", SIGMA_VALUES_MAX);
    const char **values = arena_alloc(arena, count, sizeof *values);
    for (size_t i = 0; i < count; i++) {
        if (items[i]->kind != NODE_SCALAR)
            return problem_add(all, items[i]->at, "a text or a list of them", "a placeholder stands for texts");
        values[i] = arena_text(arena, items[i]->text);
    }
    *ret = (SigmaPlaceholder){arena_text(arena, entry->key->text), values, count};
    return true;
}

bool sigma_placeholders_read(
    Arena *arena, const Node *map, const SigmaPlaceholder **ret_list, size_t *ret_count, Problems *all) {
    if (map->kind != NODE_MAP)
        return problem_add(all, map->at, "such as {admins: [alice, bob]}", "placeholders must be a map");
    SigmaPlaceholder *list = arena_alloc(arena, map->count, sizeof *list);
    bool good = true;
    for (size_t i = 0; i < map->count; i++) good = read_one(arena, &map->entries[i], &list[i], all) && good;
    if (!good) return false;
    *ret_list = list;
    *ret_count = map->count;
    return true;
}
