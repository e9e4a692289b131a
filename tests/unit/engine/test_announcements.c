/* What became true is said some a turn of the loop, in order, and all of it in the end. */
#include "engine/announcements.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 2 * ANNOUNCED_AT_ONCE + 50 };

typedef struct World {
    Clock *clock;
    Core core;
    Announcements *announcements;
    size_t heard;
    int64_t last; /* the number in the last one's reason */
} World;

static void hear(void *ctx, const char *kind, json_t *json) {
    World *w = ctx;
    const int64_t number = strtoll(json_text(json, "reason"), NULL, 10);
    ck_assert_str_eq(kind, "transition");
    ck_assert_str_eq(json_text(json, "to"), "ALARM");
    ck_assert_int_eq(number, w->last + 1);
    w->last = number;
    w->heard++;
}

static void world_init(World *w) {
    *w = (World){.clock = clock_new_virtual(1770000000000)};
    w->core = (Core){.clock = w->clock, .instances = instances_new(), .event = hear, .event_ctx = w};
    w->announcements = announcements_new(&w->core);
}

static void world_deinit(World *w) {
    w->announcements = announcements_free(w->announcements);
    instances_free(w->core.instances);
    clock_free(w->clock);
}

/* Transitions with the numbers from `first` on. */
static InstanceChange **changes_of(World *w, size_t first, size_t count) {
    InstanceChange **changes = alloc_zeroed(count, sizeof *changes);
    const int64_t now_ms = clock_wall_ms(w->clock);
    for (size_t i = 0; i < count; i++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", first + i);
        OWN(labels) Labels *series = labels_new(&(Label){"number", number}, 1);
        changes[i] = change_new(instance_get(w->core.instances, "a", "prod", "eu-west-1", "xray", series, now_ms));
        change_state(changes[i], STATE_ALARM, NAN, number, now_ms);
    }
    return changes;
}

START_TEST(many_are_said_some_a_turn) {
    World w;
    world_init(&w);
    announcements_take(w.announcements, changes_of(&w, 1, MANY), MANY);
    ck_assert_uint_eq(w.heard, ANNOUNCED_AT_ONCE);
    announcements_take(w.announcements, changes_of(&w, MANY + 1, 1), 1); /* waits for those before it */
    ck_assert_uint_eq(w.heard, ANNOUNCED_AT_ONCE);
    announcements_tick(w.announcements);
    ck_assert_uint_eq(w.heard, 2 * ANNOUNCED_AT_ONCE);
    ck_assert(announcements_wait(w.announcements));
    announcements_tick(w.announcements);
    ck_assert_uint_eq(w.heard, MANY + 1);
    ck_assert(!announcements_wait(w.announcements));
    announcements_tick(w.announcements);
    announcements_take(w.announcements, changes_of(&w, MANY + 2, 1), 1); /* nothing waits: at once */
    ck_assert_uint_eq(w.heard, MANY + 2);
    world_deinit(&w);
}
END_TEST

START_TEST(none_is_passed_over) {
    World w;
    world_init(&w);
    announcements_take(w.announcements, changes_of(&w, 1, MANY), MANY);
    InstanceChange **own = changes_of(&w, MANY + 1, 1);
    announcements_say(w.announcements, own, 1); /* at once, behind all that waited */
    ck_assert_uint_eq(w.heard, MANY + 1);
    change_free(own[0]);
    free(own);
    announcements_take(w.announcements, changes_of(&w, MANY + 2, MANY), MANY);
    w.announcements = announcements_free(w.announcements);
    ck_assert_uint_eq(w.heard, 2 * MANY + 1);
    world_deinit(&w);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, many_are_said_some_a_turn);
    tcase_add_test(tcase, none_is_passed_over);
}

int main(void) { return run_tests("announcements", fill); }
