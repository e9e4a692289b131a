/* daemon/engine/silencing.c: a silence's change, from a person to the groups that it holds */
#include "engine/silencing.h"

#include "base/alloc.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

static const Metric silences_gauge = {"tocsin_silences", "Silences by their state.", METRIC_GAUGE, {"state"}};

/* What somebody asked for and was not answered yet. */
typedef struct Wish {
    Silence *posted; /* NULL: `id` is to end */
    char *id;
    EngineSilenced *done;
    void *ctx;
    struct Wish *next;
} Wish;

struct Silencing {
    Core *core;
    Wish *first, **last;
    size_t waiting;
    SilenceChange change; /* on its way to the file; its wish is the first */
    bool is_busy, is_forgetting;
    int64_t looked_ms; /* silences that began up to here were told to the groups; 0: not yet begun */
};

Silencing *silencing_new(Core *core) {
    Silencing *silencing = alloc_zeroed(1, sizeof *silencing);
    silencing->core = core;
    silencing->last = &silencing->first;
    return silencing;
}

static void wish_free(Wish *wish) {
    silence_free(wish->posted);
    free(wish->id);
    free(wish);
}

Silencing *silencing_free(Silencing *silencing) {
    if (!silencing) return NULL;
    while (silencing->first) {
        Wish *wish = silencing->first;
        silencing->first = wish->next;
        wish->done(wish->ctx, ENGINE_STORE_FULL, ""); /* the store is closed: it did not come to pass */
        wish_free(wish);
    }
    silence_change_deinit(&silencing->change);
    free(silencing);
    return NULL;
}

static Silences *all_of(const Silencing *silencing) { return mutes_silences(silencing->core->mutes); }

static void count_states(const Silencing *silencing, int64_t now_ms) {
    size_t counts[SILENCE_EXPIRED + 1] = {0};
    const Silences *all = all_of(silencing);
    for (size_t i = 0; i < silences_count(all); i++) counts[silence_state(silences_at(all, i), now_ms)]++;
    for (size_t state = 0; state < COUNT_OF(counts); state++)
        metric_set(silencing->core->metrics, &silences_gauge, (double)counts[state],
            METRIC_VALUES(silence_state_word((SilenceState)state)));
}

/* --- what it holds --- */

static void hold_matching(const Silencing *silencing, const Silence *silence) {
    Core *core = silencing->core;
    const GroupWorld world = core_world(core);
    for (Instance *i = instances_next(core->instances, NULL); i; i = instances_next(core->instances, i))
        if (i->firing_since_ms && matchers_match(silence->matchers, i->labels, NULL))
            groups_hold(core->groups, &world, i->fingerprint, silence->starts_ms, silence->ends_ms);
}

/* Those that began behind `after_ms`; one that was ended before its start never did. */
static void hold_begun(Silencing *silencing, int64_t after_ms, int64_t now_ms) {
    const Silences *all = all_of(silencing);
    for (size_t i = 0; i < silences_count(all); i++) {
        const Silence *silence = silences_at(all, i);
        if (silence->starts_ms > after_ms && silence->starts_ms <= now_ms && silence->starts_ms < silence->ends_ms)
            hold_matching(silencing, silence);
    }
    silencing->looked_ms = now_ms;
    count_states(silencing, now_ms);
}

void silencing_load(Silencing *silencing, const StoreLoad *load) {
    for (size_t i = 0; i < load->silence_count; i++) {
        Error err = {0};
        Silence *silence = silence_restore(&load->silences[i], &err);
        if (silence)
            silences_add(all_of(silencing), silence);
        else
            LOG(WARNING, "a silence in the state file made no sense and is left out: what it held is told",
                KV("id", load->silences[i].id), KV("error", err.text));
    }
}

/* Of what was held before a crash only the file's part is known: all silences are looked at anew. */
void silencing_begin(Silencing *silencing) { hold_begun(silencing, 0, clock_wall_ms(silencing->core->clock)); }

/* --- changes --- */

static void take_next(Silencing *silencing);

static Wish *first_wish(Silencing *silencing) {
    Wish *wish = silencing->first;
    silencing->first = wish->next;
    if (!silencing->first) silencing->last = &silencing->first;
    silencing->waiting--;
    return wish;
}

static void answer(Silencing *silencing, EngineOutcome outcome, const char *said) {
    Wish *wish = first_wish(silencing);
    wish->done(wish->ctx, outcome, said);
    wish_free(wish);
}

static void committed(void *ctx, StoreOutcome outcome) {
    Silencing *silencing = ctx;
    silencing->is_busy = false;
    if (outcome != STORE_OK) {
        silence_change_deinit(&silencing->change);
        answer(silencing, ENGINE_STORE_FULL, "");
    } else {
        const int64_t now_ms = clock_wall_ms(silencing->core->clock);
        const Silence *made = silencing->change.puts[0];
        silences_apply(all_of(silencing), &silencing->change);
        LOG(INFO, "a silence changed", KV("id", made->id), KV("state", silence_state_word(silence_state(made, now_ms))),
            KV("by", made->created_by), KV("comment", made->comment));
        if (silence_state(made, now_ms) == SILENCE_ACTIVE) hold_matching(silencing, made);
        count_states(silencing, now_ms);
        answer(silencing, ENGINE_DONE, made->id);
    }
    if (outcome != STORE_STOPPED) take_next(silencing);
    silencing->core->wake(silencing->core->ctx);
}

static bool plan(Silencing *silencing, const Wish *wish, Error *err) {
    const int64_t now_ms = clock_wall_ms(silencing->core->clock);
    if (wish->posted) return silences_plan_post(all_of(silencing), wish->posted, now_ms, &silencing->change, err);
    return silences_plan_expire(all_of(silencing), wish->id, now_ms, &silencing->change, err);
}

static EngineOutcome refusal(const Silencing *silencing, const Wish *wish) {
    const char *id = wish->posted ? wish->posted->id : wish->id;
    return *id && !silences_find(all_of(silencing), id) ? ENGINE_NOT_FOUND : ENGINE_WRONG_STATE;
}

static void commit(Silencing *silencing) {
    OWN(arena) Arena *arena = arena_new();
    SilenceRow rows[COUNT_OF(silencing->change.puts)];
    for (size_t i = 0; i < silencing->change.count; i++) rows[i] = silence_row(silencing->change.puts[i], arena);
    const StoreBatch batch = {.silences = rows, .silence_count = silencing->change.count};
    silencing->is_busy = true;
    store_commit_batch(silencing->core->store, &batch, committed, silencing);
}

static void take_next(Silencing *silencing) {
    while (silencing->first && !silencing->is_busy) {
        Error err = {0};
        if (plan(silencing, silencing->first, &err))
            commit(silencing);
        else
            answer(silencing, refusal(silencing, silencing->first), err.text);
    }
}

static void wish(Silencing *silencing, Silence *take_posted, const char *id, EngineSilenced *done, void *ctx) {
    if (silencing->waiting == SILENCING_WAITING_MAX) {
        silence_free(take_posted);
        done(ctx, ENGINE_WRONG_STATE, "too many changes of silences wait: try again");
        return;
    }
    Wish *made = alloc_zeroed(1, sizeof *made);
    *made = (Wish){.posted = take_posted, .id = id ? text_copy(id) : NULL, .done = done, .ctx = ctx};
    *silencing->last = made;
    silencing->last = &made->next;
    silencing->waiting++;
    take_next(silencing);
}

void silencing_post(Silencing *silencing, Silence *take_posted, EngineSilenced *done, void *ctx) {
    wish(silencing, take_posted, NULL, done, ctx);
}

void silencing_expire(Silencing *silencing, const char *id, EngineSilenced *done, void *ctx) {
    wish(silencing, NULL, id, done, ctx);
}

/* --- time --- */

/* What is written off is forgotten in memory at once: should the disk be full, a later start forgets it. */
static void forgotten(void *ctx, StoreOutcome outcome) {
    Silencing *silencing = ctx;
    silencing->is_forgetting = false;
    if (outcome == STORE_OK) silencing->core->wake(silencing->core->ctx);
}

static void forget_stale(Silencing *silencing, int64_t now_ms) {
    const Silence *stale = silencing->is_forgetting ? NULL : silences_stale(all_of(silencing), now_ms);
    if (!stale) return;
    const char *id = stale->id;
    silencing->is_forgetting = true;
    store_commit_batch(
        silencing->core->store, &(StoreBatch){.silence_forget = &id, .silence_forget_count = 1}, forgotten, silencing);
    silences_forget(all_of(silencing), id);
}

void silencing_tick(Silencing *silencing) {
    const int64_t now_ms = clock_wall_ms(silencing->core->clock);
    if (!silencing->looked_ms) return;
    if (silences_next_ms(all_of(silencing), silencing->looked_ms) <= now_ms)
        hold_begun(silencing, silencing->looked_ms, now_ms);
    forget_stale(silencing, now_ms);
}

/* Should the disk be full, a restart makes it pending again, and what it held is told. */
static void kept_active(void *ctx, StoreOutcome outcome) { (void)ctx, (void)outcome; }

void silencing_shift(Silencing *silencing, int64_t by_ms) {
    const int64_t now_ms = clock_wall_ms(silencing->core->clock), before_ms = now_ms - by_ms;
    OWN(arena) Arena *arena = arena_new();
    for (const Silence *s; (s = silences_keep_active(all_of(silencing), before_ms, now_ms));) {
        const SilenceRow row = silence_row(s, arena);
        store_commit_batch(
            silencing->core->store, &(StoreBatch){.silences = &row, .silence_count = 1}, kept_active, silencing);
    }
    if (silencing->looked_ms > now_ms) silencing->looked_ms = now_ms;
}

int64_t silencing_next_wall_ms(const Silencing *silencing) {
    return silencing->looked_ms ? silences_next_ms(all_of(silencing), silencing->looked_ms) : INT64_MAX;
}
