/* What the state file knows by name: cursors that follow commits, ids that are forgotten by age and by number. */
#include "engine/memory.h"

#include "../run.h"
#include "base/alloc.h"

#include <stdio.h>
#include <string.h>

typedef struct World {
    Metrics *metrics;
    Memory *memory;
} World;

static void world_init(World *w) {
    w->metrics = metrics_new();
    w->memory = memory_new(w->metrics);
}

static void world_deinit(World *w) {
    memory_free(w->memory);
    metrics_free(w->metrics);
}

static void see(World *w, const char *scope, const char *id, int64_t seen_ms) {
    const SeenRow row = {scope, id, seen_ms};
    memory_apply(w->memory, &(StoreBatch){.seen = &row, .seen_count = 1});
}

static void forget(World *w, const char *scope, int64_t before_ms) {
    const ForgetBefore what = {scope, before_ms};
    memory_apply(w->memory, &(StoreBatch){.seen_forget = &what, .seen_forget_count = 1});
}

START_TEST(cursors_follow_commits) {
    World w;
    world_init(&w);
    CursorRow row = {"trail", "{\"at\":1}"};
    memory_load(w.memory, &(StoreLoad){.cursors = &row, .cursor_count = 1});
    ck_assert_str_eq(memory_cursor(w.memory, "trail"), "{\"at\":1}");
    ck_assert_ptr_null(memory_cursor(w.memory, "trai"));
    row.value_json = "2";
    memory_apply(w.memory, &(StoreBatch){.cursors = &row, .cursor_count = 1});
    ck_assert_str_eq(memory_cursor(w.memory, "trail"), "2");
    row.value_json = NULL;
    memory_apply(w.memory, &(StoreBatch){.cursors = &row, .cursor_count = 1});
    memory_apply(w.memory, &(StoreBatch){.cursors = &row, .cursor_count = 1});
    ck_assert_ptr_null(memory_cursor(w.memory, "trail"));
    world_deinit(&w);
}
END_TEST

static void join(void *ctx, const char *name, const char *value_json) {
    char *text = ctx;
    snprintf(text + strlen(text), 64, "%s=%s;", name, value_json);
}

START_TEST(cursors_are_found_by_their_beginning) {
    World w;
    char text[256] = "";
    const CursorRow rows[] = {{"first/a", "1"}, {"poll/a", "2"}, {"first/b", "3"}};
    world_init(&w);
    memory_apply(w.memory, &(StoreBatch){.cursors = rows, .cursor_count = 3});
    memory_each(w.memory, "first/", join, text);
    ck_assert_str_eq(text, "first/a=1;first/b=3;");
    world_deinit(&w);
}
END_TEST

START_TEST(an_event_is_seen_in_its_scope) {
    World w;
    world_init(&w);
    see(&w, "prod", "1", 10);
    see(&w, "prod", "1", 99);
    ck_assert_uint_eq(memory_ids(w.memory), 1);
    ck_assert(memory_is_seen(w.memory, "prod", "1"));
    ck_assert(!memory_is_seen(w.memory, "prod", "2"));
    ck_assert(!memory_is_seen(w.memory, "test", "1"));
    forget(&w, "prod", 11); /* by when it was seen first */
    ck_assert(!memory_is_seen(w.memory, "prod", "1"));
    forget(&w, "nobody", 11);
    world_deinit(&w);
}
END_TEST

START_TEST(what_the_file_gives_newest_first_is_forgotten_oldest_first) {
    World w;
    SeenRow rows[] = {{"prod", "new", 20}, {"prod", "old", 10}};
    world_init(&w);
    memory_load(w.memory, &(StoreLoad){.seen = rows, .seen_count = 2});
    forget(&w, "prod", 15);
    ck_assert(!memory_is_seen(w.memory, "prod", "old"));
    ck_assert(memory_is_seen(w.memory, "prod", "new"));
    world_deinit(&w);
}
END_TEST

START_TEST(ids_are_bounded) {
    World w;
    enum { BATCH = 10000 };
    static char ids[BATCH][16];
    static SeenRow rows[BATCH];
    world_init(&w);
    see(&w, "small", "kept", 1);
    for (int from = 0; from < MEMORY_IDS_MAX; from += BATCH) {
        for (int i = 0; i < BATCH; i++) {
            snprintf(ids[i], sizeof ids[i], "%d", from + i);
            rows[i] = (SeenRow){"large", ids[i], from + i};
        }
        memory_apply(w.memory, &(StoreBatch){.seen = rows, .seen_count = BATCH});
    }
    ck_assert_uint_eq(memory_ids(w.memory), MEMORY_IDS_MAX);
    ck_assert(!memory_is_seen(w.memory, "large", "0")); /* the oldest of the largest scope */
    ck_assert(memory_is_seen(w.memory, "large", "1"));
    ck_assert(memory_is_seen(w.memory, "small", "kept"));
    world_deinit(&w);
}
END_TEST

static void fill(TCase *tests) {
    tcase_set_timeout(tests, 60); /* a million ids, under a sanitizer and a busy machine */
    tcase_add_test(tests, cursors_follow_commits);
    tcase_add_test(tests, cursors_are_found_by_their_beginning);
    tcase_add_test(tests, an_event_is_seen_in_its_scope);
    tcase_add_test(tests, what_the_file_gives_newest_first_is_forgotten_oldest_first);
    tcase_add_test(tests, ids_are_bounded);
}

int main(void) { return run_tests("memory", fill); }
