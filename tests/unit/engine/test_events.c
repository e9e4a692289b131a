/* From matches to states: what is counted, held, told again and forgotten, silence, novelty; through restarts. */
#include "engine/events.h"

#include "../run.h"
#include "core.h"
#include "sources/event_selector.h"

/* One alarm each, a watch each; the poll under test is of one of them. */
enum { PLAIN, THREE, GROUPED, VALUES, PAIR, ORDERED, SILENT, FIRST, ALARMS };
enum { SPAN_S = 600, MINUTE_MS = 60000, HOUR_MS = 3600000, EVENTS_AT_ONCE = 64 };

static const char *const by_name[] = {"alertname"};
static const char *const group_names[] = {"user"};
static const char *const names[ALARMS] = {"plain", "three", "grouped", "values", "pair", "ordered", "silent", "first"};

typedef struct World {
    Room room;
    Core core;
    Backlog *backlog;
    Own *own;
    Series *series;
    Events *events;
    RouteSection routes;
    DiscoverySection limits;
    SigmaRule rules[ALARMS];
    SigmaCorrelation correlation[ALARMS];
    EventSelector selectors[ALARMS];
    Alarm alarms[ALARMS];
    Watch watches[ALARMS];
    const Alarm *of[ALARMS];
    ReadEvent read[EVENTS_AT_ONCE]; /* for the next poll */
    EventMatch matches[EVENTS_AT_ONCE];
    char ids[EVENTS_AT_ONCE][40];
    size_t count;
    size_t loaded; /* matches that the last restart found */
} World;

static int64_t now_ms(const World *w) { return clock_wall_ms(w->room.clock); }

static void core_init(World *w) {
    w->core = core_make(&w->room, &w->routes);
    w->backlog = backlog_new(&w->core);
    w->own = own_new(&w->core, w->backlog);
    w->events = events_new(&w->core);
}

static void core_deinit(World *w) {
    w->core.store = w->room.store = store_close(w->room.store);
    w->series = series_free(w->series);
    events_free(w->events);
    own_free(w->own);
    backlog_free(w->backlog);
    aws_free(w->core.aws);
    groups_free(w->core.groups);
    mutes_free(w->core.mutes);
    acks_free(w->core.acks);
    instances_free(w->core.instances);
    memory_free(w->core.memory);
}

/* As the poller does it with a new configuration. */
static void configure(World *w) {
    series_free(w->series);
    for (Instance *i = instances_next(w->core.instances, NULL); i; i = instances_next(w->core.instances, i))
        i->alarm = NULL;
    w->series = series_new(&w->core, w->backlog, w->own, &w->limits, w->watches, w->of, ALARMS);
    for (size_t a = 0; a < ALARMS; a++) {
        if (series_is_found(w->series, a)) continue;
        OWN(labels) Labels *none = cloudtrail_source.series(&w->selectors[a]);
        instance_attach(instance_get(w->core.instances, names[a], "prod", "eu-west-1", "cloudtrail", none, now_ms(w)),
            &w->alarms[a], "");
    }
    events_configure(w->events, w->series, w->watches, ALARMS);
}

static void alarm_init(World *w, size_t a) {
    static const EventPart two_parts[2];
    EventSelector *selector = &w->selectors[a];
    w->rules[a] = (SigmaRule){.title = names[a]};
    *selector = (EventSelector){.timespan_s = SPAN_S, .rule = &w->rules[a], .part_count = 1, .parts = two_parts};
    selector->count.given[COUNT_GTE] = true;
    selector->count.bound[COUNT_GTE] = 1;
    w->alarms[a] = (Alarm){.name = names[a],
        .description = "",
        .source = &cloudtrail_source,
        .selector = selector,
        .severity = SEVERITY_ERROR};
    w->watches[a] = (Watch){.source = &cloudtrail_source,
        .index = a,
        .alarm = names[a],
        .selector = selector,
        .account = "prod",
        .region = "eu-west-1",
        .rule = &w->alarms[a].rule};
    w->of[a] = &w->alarms[a];
}

static void correlate(World *w, size_t a, CorrelationKind kind, size_t parts) {
    w->correlation[a] = (SigmaCorrelation){.kind = kind, .field = "user", .timespan_s = SPAN_S};
    w->selectors[a].correlation = &w->correlation[a];
    w->selectors[a].part_count = parts;
    w->selectors[a].count.bound[COUNT_GTE] = 2;
}

static void world_init(World *w) {
    *w = (World){.limits = {.grace_s = 600, .max_instances = 3}};
    room_init(&w->room);
    room_open(&w->room);
    w->routes = (RouteSection){.is_given = true,
        .root = {.receiver = "oncall", .group_by = {1, by_name, NULL}, .group_wait_s = 30, .group_interval_s = 300}};
    for (size_t a = 0; a < ALARMS; a++) alarm_init(w, a);
    w->selectors[THREE].count.bound[COUNT_GTE] = 3;
    w->selectors[GROUPED].count.bound[COUNT_GTE] = 2;
    w->selectors[GROUPED].group_count = 1;
    w->selectors[GROUPED].group_names = group_names;
    correlate(w, VALUES, CORRELATE_VALUE_COUNT, 1);
    correlate(w, PAIR, CORRELATE_TEMPORAL, 2);
    correlate(w, ORDERED, CORRELATE_ORDERED, 2);
    w->selectors[SILENT].count = (CountCondition){.given = {[COUNT_LT] = true}, .bound = {[COUNT_LT] = 1}};
    w->selectors[FIRST].first_seen =
        (EventFirstSeen){.key = {1, group_names, NULL}, .learn_s = 3600, .forget_s = 86400};
    core_init(w);
    configure(w);
}

static void world_deinit(World *w) {
    core_deinit(w);
    room_deinit(&w->room);
}

/* The process is gone, and another begins with what stands in the file. */
static void restart(World *w) {
    core_deinit(w);
    room_run(&w->room);
    room_open(&w->room);
    core_init(w);
    OWN(store_load) StoreLoad *load = room_load(&w->room);
    for (size_t i = 0; i < load->instance_count; i++)
        ck_assert_ptr_nonnull(instance_restore(w->core.instances, &load->instances[i], now_ms(w)));
    memory_load(w->core.memory, load);
    w->loaded = load->match_count;
    events_load(w->events, load);
    configure(w);
}

static size_t matches_kept(World *w) {
    restart(w);
    return w->loaded;
}

/* --- a poll --- */

/* A match that the next poll hands on, `ago_s` old: of this user where the alarm groups, counts values or looks for
 * what is new, of this part where it is a correlation of two. The id names the event. */
static void match_part(World *w, size_t alarm, const char *id, int64_t ago_s, const char *user, uint32_t part) {
    const size_t at = w->count++;
    snprintf(w->ids[at], sizeof w->ids[at], "%s", id);
    w->read[at] = (ReadEvent){.id = w->ids[at],
        .name = "DeleteTrail",
        .service = "cloudtrail.amazonaws.com",
        .region = "eu-west-1",
        .who = user,
        .where = "203.0.113.7",
        .error = "",
        .brief = w->ids[at],
        .time_ms = now_ms(w) - ago_s * 1000,
        .is_new = true};
    w->matches[at] = (EventMatch){.watch = alarm,
        .event = at,
        .part = part,
        .group = w->selectors[alarm].group_count ? labels_new(&(Label){"user", user}, 1) : NULL,
        .value = alarm == VALUES ? user : NULL,
        .key = alarm == FIRST ? user : NULL};
}

static void match(World *w, size_t alarm, const char *id, int64_t ago_s) { match_part(w, alarm, id, ago_s, "ann", 0); }
static void match_of(World *w, size_t alarm, const char *id, const char *user) { match_part(w, alarm, id, 0, user, 0); }

typedef enum { POLL_COMPLETE, POLL_PARTIAL, POLL_FAILED } PollKind;

static void poll_so(World *w, size_t alarm, PollKind kind) {
    const size_t watch = alarm;
    const Poll poll = {
        .source = &cloudtrail_source, .account = "prod", .region = "eu-west-1", .watches = &watch, .watch_count = 1};
    const PollOutcome outcome = {.failed = kind == POLL_FAILED,
        .is_complete = kind == POLL_COMPLETE,
        .events = w->read,
        .event_count = w->count,
        .matches = w->matches,
        .match_count = w->count,
        .scope = "trail"};
    Batch *batch = batch_new(w->backlog);
    events_judge(w->events, &poll, &outcome, now_ms(w), batch);
    if (series_is_found(w->series, alarm)) {
        if (kind == POLL_COMPLETE)
            series_close(w->series, alarm, 0, now_ms(w), batch);
        else
            series_blind(w->series, alarm, "not read");
    }
    batch_commit(batch, NULL, NULL);
    room_run(&w->room);
    for (size_t i = 0; i < w->count; i++) labels_free(w->matches[i].group);
    w->count = 0;
}

static void poll(World *w, size_t alarm) { poll_so(w, alarm, POLL_COMPLETE); }
static void pass(World *w, int64_t ms) { clock_advance(w->room.clock, ms); }

/* Complete polls without a match, a minute apart. */
static void quiet(World *w, size_t alarm, int64_t minutes) {
    while (minutes-- > 0) {
        pass(w, MINUTE_MS);
        poll(w, alarm);
    }
}

static Instance *at(const World *w, size_t alarm, const char *user) {
    char fingerprint[FINGERPRINT_TEXT];
    OWN(labels) Labels *series = *user ? labels_new(&(Label){"user", user}, 1) : NULL;
    fingerprint_make(names[alarm], "prod", "eu-west-1", "cloudtrail", series, fingerprint);
    return instance_find(w->core.instances, fingerprint);
}

static AlarmState state(const World *w, size_t alarm) { return at(w, alarm, "")->memory.state; }
static const char *reason(const World *w, size_t alarm) { return at(w, alarm, "")->facts.reason; }

/* As the notifier does when the end was told. */
static void tell_end(World *w, Instance *instance) {
    ck_assert(instance_is_resolved(instance));
    const InstanceTold told = {instance->fingerprint, instance->resolved_ms};
    store_commit_batch(w->room.store, &(StoreBatch){.told = &told, .told_count = 1}, room_done, &w->room);
    room_run(&w->room);
    instance->firing_since_ms = instance->resolved_ms = 0;
}

/* --- counts --- */

START_TEST(nothing_is_known_before_the_first_complete_poll) {
    World w;
    world_init(&w);
    ck_assert_int_eq(state(&w, PLAIN), STATE_INSUFFICIENT_DATA);
    poll_so(&w, PLAIN, POLL_PARTIAL);
    poll_so(&w, PLAIN, POLL_FAILED);
    ck_assert_int_eq(state(&w, PLAIN), STATE_INSUFFICIENT_DATA);
    poll(&w, PLAIN);
    ck_assert_int_eq(state(&w, PLAIN), STATE_OK);
    world_deinit(&w);
}
END_TEST

START_TEST(a_match_fires_in_any_poll_and_reads_like_a_sentence) {
    static const char *const notes[][2] = {{"who", "ann"}, {"what", "DeleteTrail"}, {"from", "203.0.113.7, eu-west-1"},
        {"result", "success"}, {"event_id", "e1"}, {"first_event", "2026-02-02T02:40:00.000Z"},
        {"last_event", "2026-02-02T02:40:00.000Z"}, {"events", "2026-02-02 02:40:00Z e1"}};
    World w;
    world_init(&w);
    match(&w, PLAIN, "e1", 0);
    poll_so(&w, PLAIN, POLL_FAILED); /* what was read of it counts */
    ck_assert_int_eq(state(&w, PLAIN), STATE_ALARM);
    ck_assert_str_eq(reason(&w, PLAIN), "e1");
    for (size_t i = 0; i < COUNT_OF(notes); i++)
        ck_assert_str_eq(labels_get(at(&w, PLAIN, "")->facts.notes, notes[i][0]), notes[i][1]);
    ck_assert_ptr_nonnull(strstr(at(&w, PLAIN, "")->facts.console_url, "e1"));
    world_deinit(&w);
}
END_TEST

START_TEST(three_within_the_span_by_their_own_times) {
    static const struct Case {
        int64_t ago_s[3];
        bool fires;
    } cases[] = {{{0, 1, 2}, true}, {{599, 300, 0}, true}, {{600, 300, 0}, false}, {{6000, 6300, 6599}, true},
        {{7000, 3000, 0}, false}};
    for (size_t c = 0; c < COUNT_OF(cases); c++) {
        World w;
        world_init(&w);
        for (size_t i = 0; i < 3; i++) { /* a poll each, late ones too, and all of them again */
            const char *const ids[] = {"a", "b", "c"};
            match(&w, THREE, ids[i], cases[c].ago_s[i]);
            poll_so(&w, THREE, POLL_PARTIAL);
            match(&w, THREE, ids[i], cases[c].ago_s[i]);
            poll_so(&w, THREE, POLL_PARTIAL);
        }
        ck_assert_msg((state(&w, THREE) == STATE_ALARM) == cases[c].fires, "case %zu", c);
        world_deinit(&w);
    }
}
END_TEST

START_TEST(one_id_counts_once) {
    World w;
    world_init(&w);
    for (int i = 0; i < 5; i++) match(&w, THREE, "same", 5);
    poll(&w, THREE);
    ck_assert_int_eq(state(&w, THREE), STATE_OK);
    ck_assert_str_eq(reason(&w, THREE), "1 match within 10m");
    world_deinit(&w);
}
END_TEST

START_TEST(each_further_match_is_told_and_holds) {
    World w;
    world_init(&w);
    match(&w, PLAIN, "e1", 0);
    poll(&w, PLAIN);
    ck_assert_int_eq(at(&w, PLAIN, "")->news, 1);
    quiet(&w, PLAIN, 9);
    match(&w, PLAIN, "e2", 7000); /* hours late: it holds from now on */
    poll(&w, PLAIN);
    ck_assert_int_eq(at(&w, PLAIN, "")->news, 2);
    ck_assert_str_eq(labels_get(at(&w, PLAIN, "")->facts.notes, "last_event"), "2026-02-02T02:40:00.000Z");
    ck_assert_str_eq(labels_get(at(&w, PLAIN, "")->facts.notes, "first_event"), "2026-02-02T00:52:20.000Z");
    quiet(&w, PLAIN, 9);
    ck_assert_int_eq(state(&w, PLAIN), STATE_ALARM);
    quiet(&w, PLAIN, 1);
    ck_assert_int_eq(state(&w, PLAIN), STATE_OK);
    ck_assert_str_eq(reason(&w, PLAIN), "no match for 10m");
    ck_assert(instance_is_resolved(at(&w, PLAIN, "")));
    world_deinit(&w);
}
END_TEST

START_TEST(only_what_was_read_wholly_ends_an_alarm) {
    World w;
    world_init(&w);
    match(&w, PLAIN, "e1", 0);
    poll(&w, PLAIN);
    pass(&w, 24 * HOUR_MS);
    poll_so(&w, PLAIN, POLL_FAILED);
    poll_so(&w, PLAIN, POLL_PARTIAL);
    ck_assert_int_eq(state(&w, PLAIN), STATE_ALARM);
    poll(&w, PLAIN);
    ck_assert_int_eq(state(&w, PLAIN), STATE_OK);
    world_deinit(&w);
}
END_TEST

START_TEST(what_comes_too_late_to_be_counted_with_others_counts_alone) {
    World w;
    world_init(&w);
    poll(&w, PLAIN);
    match(&w, PLAIN, "new", 0);
    poll(&w, PLAIN);
    match(&w, PLAIN, "old", 3 * 86400);
    poll(&w, PLAIN);
    ck_assert_int_eq(at(&w, PLAIN, "")->news, 2);
    match(&w, THREE, "old", 3 * 86400);
    poll(&w, THREE);
    ck_assert_int_eq(state(&w, THREE), STATE_OK);
    world_deinit(&w);
}
END_TEST

/* --- groups --- */

START_TEST(a_group_is_an_instance_and_goes_an_hour_after_its_end) {
    World w;
    world_init(&w);
    poll(&w, GROUPED);
    ck_assert_int_eq(at(&w, GROUPED, "")->memory.state, STATE_OK); /* the row that stands for none */
    match_of(&w, GROUPED, "a1", "ann");
    match_of(&w, GROUPED, "a2", "ann");
    match_of(&w, GROUPED, "b1", "bob");
    poll(&w, GROUPED);
    ck_assert_int_eq(at(&w, GROUPED, "ann")->memory.state, STATE_ALARM);
    ck_assert_int_eq(at(&w, GROUPED, "bob")->memory.state, STATE_OK);
    ck_assert_ptr_null(at(&w, GROUPED, ""));
    quiet(&w, GROUPED, 10);
    ck_assert(instance_is_resolved(at(&w, GROUPED, "ann")));
    quiet(&w, GROUPED, 120); /* not told yet: it stays */
    ck_assert_ptr_nonnull(at(&w, GROUPED, "ann"));
    tell_end(&w, at(&w, GROUPED, "ann"));
    quiet(&w, GROUPED, 60);
    ck_assert_ptr_nonnull(at(&w, GROUPED, "ann"));
    quiet(&w, GROUPED, 1);
    ck_assert_ptr_null(at(&w, GROUPED, "ann"));
    ck_assert_ptr_null(at(&w, GROUPED, "bob"));
    ck_assert_uint_eq(matches_kept(&w), 0);
    world_deinit(&w);
}
END_TEST

/* With a span of a day the second match may come hours after the first: neither the quiet nor a restart forgets it. */
START_TEST(what_may_still_count_keeps_its_group) {
    World w;
    world_init(&w);
    w.selectors[GROUPED].timespan_s = 86400;
    configure(&w);
    match_of(&w, GROUPED, "a1", "ann");
    poll(&w, GROUPED);
    quiet(&w, GROUPED, 300);
    restart(&w);
    ck_assert_ptr_nonnull(at(&w, GROUPED, "ann"));
    quiet(&w, GROUPED, 300);
    match_of(&w, GROUPED, "a2", "ann");
    poll(&w, GROUPED);
    ck_assert_int_eq(at(&w, GROUPED, "ann")->memory.state, STATE_ALARM);
    ck_assert_str_eq(at(&w, GROUPED, "ann")->facts.reason, "a2; 2 matches within 1d");
    world_deinit(&w);
}
END_TEST

START_TEST(a_restart_right_behind_the_first_of_two_counts_on) {
    World w;
    world_init(&w);
    match_of(&w, GROUPED, "a1", "ann");
    poll_so(&w, GROUPED, POLL_PARTIAL);
    restart(&w);
    match_of(&w, GROUPED, "a2", "ann");
    poll(&w, GROUPED);
    ck_assert_int_eq(at(&w, GROUPED, "ann")->memory.state, STATE_ALARM);
    world_deinit(&w);
}
END_TEST

START_TEST(groups_are_bounded) {
    World w;
    world_init(&w);
    const char *const users[] = {"ann", "bob", "cyd", "dan", "eve"};
    for (size_t i = 0; i < COUNT_OF(users); i++) match_of(&w, GROUPED, users[i], users[i]);
    poll(&w, GROUPED);
    ck_assert_ptr_nonnull(at(&w, GROUPED, "cyd"));
    ck_assert_ptr_null(at(&w, GROUPED, "dan"));
    OWN(labels) Labels *labels = labels_new(&(Label){"alarm", "grouped"}, 1);
    char fingerprint[FINGERPRINT_TEXT];
    fingerprint_make("TocsinInstanceOverflow", "", "", "tocsin", labels, fingerprint);
    ck_assert_int_eq(instance_find(w.core.instances, fingerprint)->memory.state, STATE_ALARM);
    world_deinit(&w);
}
END_TEST

/* --- correlations --- */

START_TEST(distinct_values_are_counted) {
    World w;
    world_init(&w);
    match_of(&w, VALUES, "1", "ann");
    match_of(&w, VALUES, "2", "ann");
    poll(&w, VALUES);
    ck_assert_int_eq(state(&w, VALUES), STATE_OK);
    restart(&w); /* the values are known behind it */
    match_of(&w, VALUES, "3", "ann");
    poll(&w, VALUES);
    ck_assert_int_eq(state(&w, VALUES), STATE_OK);
    match_of(&w, VALUES, "4", "bob");
    poll(&w, VALUES);
    ck_assert_int_eq(state(&w, VALUES), STATE_ALARM);
    ck_assert_str_eq(reason(&w, VALUES), "4; 2 different values of user within 10m");
    world_deinit(&w);
}
END_TEST

/* Which part came how long ago, in the order in which they are read; `-` ends. */
START_TEST(both_rules_within_the_span) {
    static const struct Case {
        struct {
            uint32_t part;
            int64_t ago_s;
        } seen[2];
        bool pair, ordered;
    } cases[] = {
        {{{0, 60}, {1, 30}}, true, true},
        {{{1, 30}, {0, 60}}, true, true}, /* read late, yet in order */
        {{{0, 30}, {1, 60}}, true, false},
        {{{0, 60}, {0, 30}}, false, false},
        {{{0, 700}, {1, 30}}, false, false},
    };
    for (size_t c = 0; c < COUNT_OF(cases); c++) {
        for (size_t alarm = PAIR; alarm <= ORDERED; alarm++) {
            World w;
            world_init(&w);
            match_part(&w, alarm, "x", cases[c].seen[0].ago_s, "ann", cases[c].seen[0].part);
            poll(&w, alarm);
            restart(&w);
            match_part(&w, alarm, "y", cases[c].seen[1].ago_s, "ann", cases[c].seen[1].part);
            poll(&w, alarm);
            const bool fires = alarm == PAIR ? cases[c].pair : cases[c].ordered;
            ck_assert_msg((state(&w, alarm) == STATE_ALARM) == fires, "case %zu, %s", c, names[alarm]);
            if (fires) ck_assert_ptr_nonnull(strstr(reason(&w, alarm), "; 2 of 2 rules within 10m"));
            world_deinit(&w);
        }
    }
}
END_TEST

/* --- silence --- */

START_TEST(silence_is_believed_when_it_was_watched_for_long_enough) {
    World w;
    world_init(&w);
    poll(&w, SILENT);
    quiet(&w, SILENT, 12);
    ck_assert_int_eq(state(&w, SILENT), STATE_INSUFFICIENT_DATA);
    restart(&w);
    quiet(&w, SILENT, 7);
    ck_assert_int_eq(state(&w, SILENT), STATE_INSUFFICIENT_DATA);
    quiet(&w, SILENT, 1); /* the span, and as long again in which an event may be late */
    ck_assert_int_eq(state(&w, SILENT), STATE_ALARM);
    ck_assert_str_eq(reason(&w, SILENT), "no match within the 10m up to 02:50Z");
    match(&w, SILENT, "e1", 0);
    poll(&w, SILENT);
    quiet(&w, SILENT, 10);
    ck_assert_int_eq(state(&w, SILENT), STATE_OK);
    ck_assert_str_eq(reason(&w, SILENT), "1 match within the 10m up to 03:00Z");
    quiet(&w, SILENT, 10);
    ck_assert_int_eq(state(&w, SILENT), STATE_ALARM);
    world_deinit(&w);
}
END_TEST

START_TEST(what_could_not_be_read_is_no_silence) {
    World w;
    world_init(&w);
    match(&w, SILENT, "e1", 0);
    poll(&w, SILENT);
    quiet(&w, SILENT, 10);
    ck_assert_int_eq(state(&w, SILENT), STATE_OK);
    pass(&w, 24 * HOUR_MS);
    poll_so(&w, SILENT, POLL_PARTIAL);
    poll_so(&w, SILENT, POLL_FAILED);
    ck_assert_int_eq(state(&w, SILENT), STATE_OK);
    poll(&w, SILENT);
    ck_assert_int_eq(state(&w, SILENT), STATE_ALARM);
    world_deinit(&w);
}
END_TEST

/* Of six hours before, only what the shorter span kept is known. */
START_TEST(a_longer_span_of_silence_waits_for_what_was_not_kept) {
    World w;
    world_init(&w);
    match(&w, SILENT, "e1", 0);
    poll(&w, SILENT);
    quiet(&w, SILENT, 5);
    for (int hour = 0; hour < 4; hour++) {
        match(&w, SILENT, hour ? "e3" : "e2", 0);
        poll(&w, SILENT);
        pass(&w, HOUR_MS);
        poll(&w, SILENT);
    }
    w.selectors[SILENT].timespan_s = 6 * 3600;
    configure(&w);
    poll(&w, SILENT);
    const int64_t wait_s = at(&w, SILENT, "")->hold_until_ms / 1000 - now_ms(&w) / 1000;
    ck_assert_int_eq(wait_s, 6 * 3600 + EVENTS_SILENCE_LATE_S - SPAN_S - EVENTS_LATE_S);
    restart(&w);
    poll(&w, SILENT);
    ck_assert_int_eq(at(&w, SILENT, "")->hold_until_ms / 1000 - now_ms(&w) / 1000, wait_s);
    world_deinit(&w);
}
END_TEST

/* --- what was never seen before --- */

static bool is_told(World *w, const char *id, const char *user) {
    pass(w, 1000);
    match_of(w, FIRST, id, user);
    poll(w, FIRST);
    return state(w, FIRST) == STATE_ALARM && at(w, FIRST, "")->hold_until_ms == now_ms(w) + SPAN_S * 1000;
}

START_TEST(what_is_new_is_told_once_it_was_learned) {
    World w;
    world_init(&w);
    ck_assert(!is_told(&w, "1", "ann")); /* learns for an hour */
    pass(&w, 2 * HOUR_MS);
    ck_assert(!is_told(&w, "2", "ann"));
    restart(&w);
    ck_assert(!is_told(&w, "3", "ann"));
    ck_assert(is_told(&w, "4", "bob"));
    ck_assert(!is_told(&w, "5", "bob"));
    restart(&w);
    configure(&w);
    ck_assert(!is_told(&w, "6", "bob"));
    ck_assert(is_told(&w, "7", "cyd"));
    world_deinit(&w);
}
END_TEST

static void count_cursor(void *ctx, const char *name, const char *value) {
    (void)name, (void)value;
    ++*(size_t *)ctx;
}

static size_t keys_kept(const World *w) {
    size_t count = 0;
    memory_each(w->core.memory, "first/", count_cursor, &count);
    return count;
}

START_TEST(what_was_not_seen_for_long_is_new_again_and_kept_no_longer) {
    World w;
    world_init(&w);
    is_told(&w, "1", "ann");
    pass(&w, 2 * HOUR_MS);
    is_told(&w, "2", "bob");
    ck_assert_uint_eq(keys_kept(&w), 3); /* and since when it learns */
    for (int i = 0; i < 10; i++) { /* bob is seen all the time, ann is not */
        pass(&w, 3 * HOUR_MS);
        is_told(&w, "3", "bob");
    }
    ck_assert_uint_eq(keys_kept(&w), 2);
    restart(&w);
    ck_assert_uint_eq(keys_kept(&w), 2);
    ck_assert(!is_told(&w, "4", "bob"));
    ck_assert(is_told(&w, "5", "ann"));
    world_deinit(&w);
}
END_TEST

/* --- restarts, reloads, ends --- */

START_TEST(an_alarm_goes_on_behind_a_restart) {
    World w;
    world_init(&w);
    match(&w, THREE, "a", 0);
    match(&w, THREE, "b", 0);
    poll(&w, THREE);
    restart(&w);
    match(&w, THREE, "b", 0); /* handed on again, as where ids were lost: its match is known */
    match(&w, THREE, "c", 0);
    poll(&w, THREE);
    ck_assert_int_eq(state(&w, THREE), STATE_ALARM);
    ck_assert_str_eq(reason(&w, THREE), "c; 3 matches within 10m");
    restart(&w);
    ck_assert_int_eq(state(&w, THREE), STATE_ALARM);
    quiet(&w, THREE, 9);
    ck_assert_int_eq(state(&w, THREE), STATE_ALARM);
    quiet(&w, THREE, 1);
    ck_assert_int_eq(state(&w, THREE), STATE_OK);
    world_deinit(&w);
}
END_TEST

START_TEST(a_reload_counts_by_the_new_rule) {
    World w;
    world_init(&w);
    match(&w, THREE, "a", 1000);
    match(&w, THREE, "b", 500);
    poll(&w, THREE);
    w.selectors[THREE].timespan_s = 1800;
    configure(&w);
    match(&w, THREE, "c", 0);
    poll(&w, THREE);
    ck_assert_int_eq(state(&w, THREE), STATE_ALARM);
    ck_assert_str_eq(reason(&w, THREE), "c; 3 matches within 30m");
    world_deinit(&w);
}
END_TEST

START_TEST(an_old_match_is_forgotten_in_the_file_too) {
    World w;
    world_init(&w);
    match(&w, THREE, "a", 0);
    poll(&w, THREE);
    ck_assert_uint_eq(matches_kept(&w), 1);
    pass(&w, (SPAN_S + EVENTS_LATE_S) * 1000 + 1);
    poll(&w, THREE);
    ck_assert_uint_eq(matches_kept(&w), 0);
    world_deinit(&w);
}
END_TEST

/* Removed by a reload while it fires: when that was told, its matches go with it. */
START_TEST(what_is_removed_takes_its_matches_along) {
    World w;
    world_init(&w);
    match(&w, PLAIN, "a", 0);
    poll(&w, PLAIN);
    Instance *instance = at(&w, PLAIN, "");
    instance->alarm = NULL;
    InstanceChange *change = change_new(instance);
    change_gone(change, "the alarm was removed from the configuration", now_ms(&w));
    Batch *batch = batch_new(w.backlog);
    batch_add(batch, change);
    batch_commit(batch, NULL, NULL);
    room_run(&w.room);
    ck_assert(instance->gone);
    tell_end(&w, instance);
    ck_assert_uint_eq(matches_kept(&w), 0);
    world_deinit(&w);
}
END_TEST

START_TEST(five_events_are_shown) {
    World w;
    char id[8];
    world_init(&w);
    for (int i = 0; i < 9; i++) {
        snprintf(id, sizeof id, "e%d", i);
        match(&w, PLAIN, id, 9 - i);
    }
    poll(&w, PLAIN);
    const char *lines = labels_get(at(&w, PLAIN, "")->facts.notes, "events");
    ck_assert_str_eq(lines,
        "2026-02-02 02:39:59Z e8\n2026-02-02 02:39:58Z e7\n2026-02-02 02:39:57Z e6\n2026-02-02 02:39:56Z e5\n"
        "2026-02-02 02:39:55Z e4");
    match(&w, PLAIN, "e9", 0);
    poll(&w, PLAIN);
    lines = labels_get(at(&w, PLAIN, "")->facts.notes, "events");
    ck_assert_msg(!strncmp(lines, "2026-02-02 02:40:00Z e9\n2026-02-02 02:39:59Z e8\n", 48), "%s", lines);
    ck_assert_str_eq(labels_get(at(&w, PLAIN, "")->facts.notes, "first_event"), "2026-02-02T02:39:51.000Z");
    world_deinit(&w);
}
END_TEST

static void fill(TCase *tests) {
    tcase_set_timeout(tests, 60); /* a store of its own, many times over, on a busy machine */
    tcase_add_test(tests, nothing_is_known_before_the_first_complete_poll);
    tcase_add_test(tests, a_match_fires_in_any_poll_and_reads_like_a_sentence);
    tcase_add_test(tests, three_within_the_span_by_their_own_times);
    tcase_add_test(tests, one_id_counts_once);
    tcase_add_test(tests, each_further_match_is_told_and_holds);
    tcase_add_test(tests, only_what_was_read_wholly_ends_an_alarm);
    tcase_add_test(tests, what_comes_too_late_to_be_counted_with_others_counts_alone);
    tcase_add_test(tests, a_group_is_an_instance_and_goes_an_hour_after_its_end);
    tcase_add_test(tests, what_may_still_count_keeps_its_group);
    tcase_add_test(tests, a_restart_right_behind_the_first_of_two_counts_on);
    tcase_add_test(tests, groups_are_bounded);
    tcase_add_test(tests, distinct_values_are_counted);
    tcase_add_test(tests, both_rules_within_the_span);
    tcase_add_test(tests, silence_is_believed_when_it_was_watched_for_long_enough);
    tcase_add_test(tests, what_could_not_be_read_is_no_silence);
    tcase_add_test(tests, a_longer_span_of_silence_waits_for_what_was_not_kept);
    tcase_add_test(tests, what_is_new_is_told_once_it_was_learned);
    tcase_add_test(tests, what_was_not_seen_for_long_is_new_again_and_kept_no_longer);
    tcase_add_test(tests, an_alarm_goes_on_behind_a_restart);
    tcase_add_test(tests, a_reload_counts_by_the_new_rule);
    tcase_add_test(tests, an_old_match_is_forgotten_in_the_file_too);
    tcase_add_test(tests, what_is_removed_takes_its_matches_along);
    tcase_add_test(tests, five_events_are_shown);
}

int main(void) { return run_tests("events", fill); }
