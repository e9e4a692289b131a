/* Groups against a model that looks at every beat, as Alertmanager does, over random schedules with restarts at random
 * times: the same messages at the same times. */
#include "groups_world.h"

enum { ALERTS = 5, NAMES = 2, STEPS = 3000, RUNS = 25, WAIT_S = 30 };

/* The model: what Alertmanager's dispatcher and DedupStage do, with nothing but a beat. */
typedef struct Model {
    bool is_open;
    int64_t next_s, first_s, sent_s; /* sent_s -1: never */
    bool told[ALERTS], held[ALERTS]; /* held: muted since it was told */
} Model;

typedef struct Run {
    World world;
    Model models[NAMES];
    bool fires[ALERTS];
    int64_t now_s, interval_s, repeat_s;
    uint64_t random;
    char want[WORLD_SAID];
} Run;

static size_t draw(Run *run, size_t below) {
    run->random = run->random * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(run->random >> 33) % below;
}

static const char *model_reason(const Run *run, const Model *model, size_t name) {
    size_t firing = 0, fresh = 0, ended = 0, released = 0, held = 0;
    for (size_t i = name; i < ALERTS; i += NAMES) {
        held += run->world.is_muted[i] && (run->fires[i] || model->told[i]);
        if (run->world.is_muted[i]) continue;
        released += run->fires[i] && model->told[i] && model->held[i];
        firing += run->fires[i];
        fresh += run->fires[i] && !model->told[i];
        ended += !run->fires[i] && model->told[i];
    }
    if (fresh) return model->sent_s < 0 ? "first notification" : "new alerts added";
    if (!firing && !held) return ended ? "all alerts resolved" : NULL;
    if (ended && run->world.tells_resolved) return "some alerts resolved";
    if (!firing) return NULL;
    if (released) return "no longer muted";
    return model->sent_s >= 0 && run->now_s >= model->sent_s + run->repeat_s ? "repeat interval elapsed" : NULL;
}

static void model_beat(Run *run, size_t name) {
    Model *model = &run->models[name];
    if (!model->is_open || run->now_s != model->next_s) return;
    const char *reason = model_reason(run, model, name);
    size_t used = strlen(run->want), firing = 0;
    if (reason) {
        model->sent_s = run->now_s;
        used += (size_t)snprintf(run->want + used, WORLD_SAID - used, "oncall: %s", reason);
    }
    for (size_t i = name; i < ALERTS; i += NAMES) {
        if (run->world.is_muted[i]) {
            firing += run->fires[i] || model->told[i]; /* the group stays */
            model->held[i] = model->told[i];
            continue;
        }
        if (reason && (run->fires[i] || model->told[i]))
            used += (size_t)snprintf(run->want + used, WORLD_SAID - used, " %c%zu", run->fires[i] ? '+' : '-', i);
        firing += run->fires[i];
        model->told[i] = run->fires[i];
        model->held[i] = false;
    }
    if (reason) snprintf(run->want + used, WORLD_SAID - used, "; ");
    model->next_s = run->now_s + run->interval_s;
    model->is_open = firing > 0;
}

static void toggle(Run *run, size_t i) {
    Model *model = &run->models[i % NAMES];
    Instance *instance = &run->world.instances[i];
    run->fires[i] = !run->fires[i];
    if (!run->fires[i]) {
        world_resolve(&run->world, instance);
        return;
    }
    world_fire(&run->world, instance);
    if (model->is_open) return;
    *model = (Model){.is_open = true, .next_s = run->now_s + WAIT_S, .sent_s = -1};
}

static void mute(Run *run, size_t i) {
    World *world = &run->world;
    Model *model = &run->models[i % NAMES];
    world->is_muted[i] = !world->is_muted[i];
    if (!world->is_muted[i]) return;
    const GroupWorld view = world_view(world);
    groups_hold(world->groups, &view, world->instances[i].fingerprint, view.now_ms, INT64_MAX);
    model->held[i] = model->is_open && model->told[i];
}

static bool has_alerts(const Run *run, size_t name) {
    for (size_t i = name; i < ALERTS; i += NAMES)
        if (run->fires[i] || run->models[name].told[i]) return true;
    return false;
}

/* Whoever mutes says at a start what was muted since it was told; a group of which nobody was told is no more. */
static void restart(Run *run) {
    world_restart(&run->world);
    for (size_t name = 0; name < NAMES; name++)
        if (!has_alerts(run, name)) run->models[name].is_open = false;
    const GroupWorld view = world_view(&run->world);
    for (size_t i = 0; i < ALERTS; i++)
        if (run->models[i % NAMES].held[i])
            groups_hold(run->world.groups, &view, run->world.instances[i].fingerprint, view.now_ms, INT64_MAX);
}

/* Both say the names in the order of their beat; two that beat in one second may come in any order. */
static bool says_the_same(const char *a, const char *b) {
    if (strlen(a) != strlen(b)) return false;
    char copy[WORLD_SAID];
    snprintf(copy, sizeof copy, "%s", b);
    for (char *rest = copy, *one; (one = strsep(&rest, ";"));)
        if (!strstr(a, one + (*one == ' '))) return false;
    return true;
}

START_TEST(as_the_model) {
    Run run = {.random = (uint64_t)_i + 1};
    const char *seed = getenv("TOCSIN_TEST_SEED");
    if (seed) run.random = strtoull(seed, NULL, 10);
    const uint64_t first = run.random;
    world_init(&run.world);
    run.interval_s = 60 + (int64_t)draw(&run, 120);
    run.repeat_s = 300 + (int64_t)draw(&run, 600);
    run.world.routes.root.group_interval_s = run.interval_s;
    run.world.routes.root.repeat_interval_s = run.repeat_s;
    run.world.tells_resolved = draw(&run, 4) > 0;
    for (size_t i = 0; i < ALERTS; i++) world_instance(&run.world, i % NAMES ? "odd" : "even", "n", "v");
    for (; run.now_s < STEPS; run.now_s++, run.world.now_ms += 1000) {
        *run.want = *run.world.said = '\0';
        world_turns(&run.world);
        for (size_t name = 0; name < NAMES; name++) model_beat(&run, name);
        ck_assert_msg(says_the_same(run.world.said, run.want), "seed %llu, second %lld: said `%s`, not `%s`",
            (unsigned long long)first, (long long)run.now_s, run.world.said, run.want);
        if (draw(&run, 50) == 0) toggle(&run, draw(&run, ALERTS));
        if (draw(&run, 80) == 0) mute(&run, draw(&run, ALERTS));
        if (draw(&run, 100) == 0) restart(&run);
    }
    world_deinit(&run.world);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_set_timeout(tcase, 60); /* under valgrind */
    tcase_add_loop_test(tcase, as_the_model, 0, RUNS);
}

int main(void) { return run_tests("groups_random", fill); }
