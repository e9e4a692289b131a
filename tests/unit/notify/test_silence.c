/* Silences: what cannot be one, their JSON and rows, what a change makes of them, and whom they mute. */
#include "notify/silences.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/json.h"

#include <stdio.h>
#include <string.h>

enum { MINUTE = 60000 };
#define NOW_MS INT64_C(1767225600000) /* 2026-01-01 */

#define MATCHERS "\"matchers\":[{\"name\":\"a\",\"value\":\"b\",\"isRegex\":false,\"isEqual\":true}]"
#define ENDS "\"endsAt\":\"2026-01-01T02:00:00Z\""
#define WHO "\"createdBy\":\"ann\",\"comment\":\"deploy\""
#define MATCHER(value, regex, equal) \
    "{\"name\":\"a\",\"value\":\"" value "\",\"isRegex\":" #regex ",\"isEqual\":" #equal "}"

static const struct Bad {
    const char *json, *want; /* its start */
} bad[] = {
    {"[]", "a silence must be an object"},
    {"5", "a silence must be an object"},
    {"{}", "`matchers` is missing: a list of matchers"},
    {"{\"matchers\":{}," ENDS "," WHO "}", "`matchers`: `matchers` must be a list ("},
    {"{\"matchers\":[]," ENDS "," WHO "}", "`matchers` is empty: it would silence every alert"},
    {"{\"matchers\":[5]," ENDS "," WHO "}", "`matchers`: a matcher needs `name` and `value`, as texts ("},
    {"{\"matchers\":[" MATCHER("(", true, true) "]," ENDS "," WHO "}",
        "`matchers`: the regular expression cannot be read: missing closing parenthesis ("},
    {"{\"matchers\":[" MATCHER("", false, true) "]," ENDS "," WHO "}", "`matchers` all match the empty text"},
    {"{\"matchers\":[" MATCHER(".*", true, true) "]," ENDS "," WHO "}", "`matchers` all match the empty text"},
    {"{\"matchers\":[" MATCHER("x", false, false) "," MATCHER("x?", true, true) "]," ENDS "," WHO "}",
        "`matchers` all match the empty text"},
    {"{" MATCHERS "," WHO "}", "`endsAt` is missing: a time such as 2026-01-02T03:04:05Z"},
    {"{" MATCHERS ",\"endsAt\":null," WHO "}", "`endsAt` must be a time"},
    {"{" MATCHERS ",\"endsAt\":1767225600," WHO "}", "`endsAt` must be a time"},
    {"{" MATCHERS ",\"endsAt\":\"tomorrow\"," WHO "}", "`endsAt` must be a time"},
    {"{" MATCHERS ",\"endsAt\":\"2026-02-30T00:00:00Z\"," WHO "}", "`endsAt` must be a time"},
    {"{" MATCHERS "," ENDS ",\"startsAt\":5," WHO "}", "`startsAt` must be a time"},
    {"{" MATCHERS "," ENDS ",\"startsAt\":\"2026-01-01T02:00:00Z\"," WHO "}", "`endsAt` must be after `startsAt`"},
    {"{" MATCHERS "," ENDS ",\"startsAt\":\"2026-01-01T03:00:00Z\"," WHO "}", "`endsAt` must be after `startsAt`"},
    {"{" MATCHERS ",\"startsAt\":\"2025-01-01T00:00:00Z\",\"endsAt\":\"2026-01-01T00:00:00Z\"," WHO "}",
        "`endsAt` is in the past"},
    {"{" MATCHERS ",\"endsAt\":\"0001-01-01T00:00:00Z\"," WHO "}", "`endsAt` must be after `startsAt`"},
    {"{" MATCHERS "," ENDS ",\"comment\":\"x\"}", "`createdBy` is missing"},
    {"{" MATCHERS "," ENDS ",\"createdBy\":\"x\"}", "`comment` is missing"},
    {"{" MATCHERS "," ENDS ",\"createdBy\":\"x\",\"comment\":\"\"}", "`comment` is missing"},
    {"{" MATCHERS "," ENDS ",\"createdBy\":\"x\",\"comment\":\" \\n\"}", "`comment` is missing"},
    {"{" MATCHERS "," ENDS ",\"createdBy\":\"x\",\"comment\":7}", "`comment` is missing"},
    {"{" MATCHERS "," ENDS ",\"createdBy\":\"x\\ny\",\"comment\":\"c\"}", "`createdBy` must be a name on one line"},
    {"{\"id\":5," MATCHERS "," ENDS "," WHO "}", "`id` must be that of a silence"},
    {"{\"id\":\"a\\nb\"," MATCHERS "," ENDS "," WHO "}", "`id` must be that of a silence"},
    {"{\"id\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"," MATCHERS "," ENDS "," WHO "}",
        "`id` must be that of a silence"},
};

static Silence *read_at(const char *text, int64_t at_ms, Error *err) {
    OWN(json) json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    ck_assert_msg(json != NULL, "%s", text);
    return silence_read(json, at_ms, err);
}

START_TEST(refuses) {
    Error err = {0};
    ck_assert_msg(!read_at(bad[_i].json, NOW_MS, &err), "%s was taken", bad[_i].json);
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_msg(strstr(err.text, bad[_i].want) == err.text, "`%s`, not `%s`", err.text, bad[_i].want);
    ck_assert(!read_at(bad[_i].json, NOW_MS, NULL));
}
END_TEST

static bool takes_length(const char *key, size_t length) {
    OWN(text) char *text = alloc_zeroed(length + 1, 1);
    memset(text, 'x', length);
    OWN(json) json_t *json = json_loads("{" MATCHERS "," ENDS "," WHO "}", 0, NULL);
    json_object_set_new(json, key, json_string(text));
    OWN(silence) Silence *silence = silence_read(json, NOW_MS, NULL);
    return silence != NULL;
}

static bool takes_matchers(size_t count) {
    OWN(json) json_t *json = json_loads("{\"matchers\":[]," ENDS "," WHO "}", 0, NULL);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(json_object_get(json, "matchers"), json_loads(MATCHER("b", false, true), 0, NULL));
    OWN(silence) Silence *silence = silence_read(json, NOW_MS, NULL);
    return silence != NULL;
}

START_TEST(has_bounds) {
    ck_assert(takes_length("comment", SILENCE_COMMENT_MAX) && !takes_length("comment", SILENCE_COMMENT_MAX + 1));
    ck_assert(takes_length("createdBy", SILENCE_AUTHOR_MAX) && !takes_length("createdBy", SILENCE_AUTHOR_MAX + 1));
    ck_assert(takes_matchers(100) && !takes_matchers(101));
}
END_TEST

static const struct State {
    int64_t at_ms;
    const char *want;
} states[] = {
    {INT64_MIN, "pending"},
    {NOW_MS - 1, "pending"},
    {NOW_MS, "active"},
    {NOW_MS + 120 * MINUTE - 1, "active"},
    {NOW_MS + 120 * MINUTE, "expired"},
    {INT64_MAX, "expired"},
};

START_TEST(is_shown_as_alertmanager_does) {
    char want[512];
    OWN(silence) Silence *silence = read_at("{\"id\":\"7\"," MATCHERS "," ENDS "," WHO ",\"more\":[]}", NOW_MS, NULL);
    ck_assert_ptr_nonnull(silence);
    OWN(json) json_t *json = silence_json(silence, states[_i].at_ms);
    OWN(text) char *text = json_write(json);
    snprintf(want, sizeof want,
        "{\"comment\":\"deploy\",\"createdBy\":\"ann\",\"endsAt\":\"2026-01-01T02:00:00.000Z\",\"id\":\"7\","
        "\"matchers\":[{\"isEqual\":true,\"isRegex\":false,\"name\":\"a\",\"value\":\"b\"}],"
        "\"startsAt\":\"2026-01-01T00:00:00.000Z\",\"status\":{\"state\":\"%s\"},"
        "\"updatedAt\":\"2026-01-01T00:00:00.000Z\"}",
        states[_i].want);
    ck_assert_str_eq(text, want);
}
END_TEST

/* --- rows --- */

START_TEST(row_comes_back) {
    OWN(arena) Arena *arena = arena_new();
    OWN(silence)
    Silence *silence = read_at(
        "{\"id\":\"7\",\"startsAt\":\"2025-06-01T01:02:03.004+02:00\"," MATCHERS "," ENDS "," WHO "}", NOW_MS, NULL);
    const SilenceRow row = silence_row(silence, arena);
    ck_assert_str_eq(row.id, "7");
    ck_assert_int_eq(row.ends_ms, NOW_MS + 120 * MINUTE);
    OWN(silence) Silence *again = silence_restore(&row, NULL);
    ck_assert_ptr_nonnull(again);
    const SilenceRow second = silence_row(again, arena);
    ck_assert_str_eq(second.json, row.json);
    ck_assert_int_eq(again->starts_ms, silence->starts_ms);
}
END_TEST

static const struct BadRow {
    const char *id, *json;
    int64_t starts_ms, ends_ms;
} bad_rows[] = {
    {NULL, "{}", 0, 1},
    {"", "{}", 0, 1},
    {"7", NULL, 0, 1},
    {"7", "", 0, 1},
    {"7", "{", 0, 1},
    {"7", "[]", 0, 1},
    {"7", "{\"id\":\"7\"," MATCHERS "," ENDS "," WHO "}", NOW_MS, NOW_MS + 120 * MINUTE}, /* no updatedAt */
    {"8", "{\"id\":\"7\",\"updatedAt\":\"2026-01-01T00:00:00Z\"," MATCHERS "," ENDS "," WHO "}", NOW_MS,
        NOW_MS + 120 * MINUTE},
    {"7", "{\"id\":\"7\",\"updatedAt\":\"2026-01-01T00:00:00Z\"," MATCHERS "," ENDS "," WHO "}", NOW_MS, NOW_MS},
    {"7",
        "{\"id\":\"7\",\"updatedAt\":\"2026-01-01T00:00:00Z\",\"startsAt\":\"2026-01-01T00:00:00Z\"," MATCHERS "," ENDS
        "," WHO "}",
        NOW_MS + 1, NOW_MS + 120 * MINUTE},
    {"7", "{\"id\":\"7\",\"updatedAt\":\"2026-01-01T00:00:00Z\"," MATCHERS "," ENDS "," WHO "}", NOW_MS + 121 * MINUTE,
        NOW_MS + 120 * MINUTE},
};

START_TEST(refuses_rows) {
    Error err = {0};
    const SilenceRow row = {bad_rows[_i].id, bad_rows[_i].json, bad_rows[_i].starts_ms, bad_rows[_i].ends_ms};
    ck_assert(!silence_restore(&row, &err));
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_str_ne(err.text, "");
}
END_TEST

/* --- changes --- */

/* A silence of these parts, in minutes from NOW_MS. */
static Silence *make(const char *id, const char *matchers, int64_t starts, int64_t ends) {
    Silence *silence = alloc_zeroed(1, sizeof *silence);
    silence->id = text_copy(id);
    silence->created_by = text_copy("ann");
    silence->comment = text_copy("c");
    silence->matchers = matchers_new();
    ck_assert(matchers_add_text(silence->matchers, matchers, NULL));
    silence->starts_ms = NOW_MS + starts * MINUTE;
    silence->ends_ms = NOW_MS + ends * MINUTE;
    return silence;
}

/* What is at `x` is posted anew at NOW_MS. */
static const struct Post {
    int64_t old_starts, old_ends; /* minutes */
    const char *matchers; /* of the posted one; the old one's are a=b,c=d */
    int64_t starts, ends;
    const char *want; /* `id starts-ends` of each that is written; * is a new id */
} posts[] = {
    {-10, 10, "a=b,c=d", -10, 20, "x -10-20;"}, /* active, longer */
    {-10, 10, "c=d,a=b", -10, 5, "x -10-5;"}, /* shorter; the order says nothing */
    {-10, 10, "a=b,c=d", -9, 20, "* 0-20;x -10-0;"}, /* another start of an active one: a new one */
    {-10, 10, "a=b,c=d", 5, 20, "* 5-20;x -10-0;"},
    {-10, 10, "a=b,c=e", -10, 10, "* 0-10;x -10-0;"}, /* other matchers */
    {-10, 10, "a=b", -10, 10, "* 0-10;x -10-0;"},
    {5, 10, "a=b,c=d", 6, 20, "x 6-20;"}, /* pending */
    {5, 10, "a=b,c=d", 0, 20, "x 0-20;"}, /* begins now */
    {5, 10, "a=b,c=d", -1, 20, "* 0-20;x 0-0;"},
    {5, 10, "a=b,c=e", 5, 10, "* 5-10;x 0-0;"}, /* it never begins */
    {-20, -10, "a=b,c=d", -20, 10, "* 0-10;"}, /* expired: that is past */
    {-20, 0, "a=b,c=d", -20, 10, "* 0-10;"},
};

static void show(const Silence *silence, char *into, size_t size) {
    snprintf(into + strlen(into), size - strlen(into), "%s %jd-%jd;", strcmp(silence->id, "x") == 0 ? "x" : "*",
        (intmax_t)((silence->starts_ms - NOW_MS) / MINUTE), (intmax_t)((silence->ends_ms - NOW_MS) / MINUTE));
}

START_TEST(post_updates_or_makes_a_new_one) {
    const struct Post *c = &posts[_i];
    char got[128] = "", before[128] = "", after[128] = "";
    SilenceChange change = {.count = 0};
    Error err = {0};
    OWN(silences) Silences *all = silences_new();
    silences_add(all, make("x", "a=b,c=d", c->old_starts, c->old_ends));
    OWN(silence) Silence *posted = make("x", c->matchers, c->starts, c->ends);
    show(silences_at(all, 0), before, sizeof before);
    ck_assert_msg(silences_plan_post(all, posted, NOW_MS, &change, &err), "%s", err.text);
    for (size_t i = 0; i < change.count; i++) {
        show(change.puts[i], got, sizeof got);
        ck_assert_int_eq(change.puts[i]->updated_ms, NOW_MS);
    }
    ck_assert_str_eq(got, c->want);
    show(silences_at(all, 0), after, sizeof after);
    ck_assert_str_eq(before, after); /* nothing is different before it is applied */
    ck_assert_uint_eq(silences_count(all), 1);
    OWN(text) char *id = text_copy(change.puts[0]->id);
    silences_apply(all, &change);
    ck_assert_uint_eq(change.count, 0);
    ck_assert_uint_eq(silences_count(all), c->want[0] == '*' ? 2 : 1);
    ck_assert_int_eq(silences_find(all, id)->ends_ms, NOW_MS + c->ends * MINUTE);
    ck_assert_uint_eq(strlen(id), c->want[0] == '*' ? 36 : 1);
}
END_TEST

START_TEST(post_keeps_the_very_start) {
    SilenceChange change = {.count = 0};
    OWN(silences) Silences *all = silences_new();
    Silence *old = make("x", "a=b", -10, 10);
    old->starts_ms += 789;
    silences_add(all, old);
    OWN(silence) Silence *posted = make("x", "a=b", -10, 20); /* as a client that cuts times to seconds sends it */
    ck_assert(silences_plan_post(all, posted, NOW_MS, &change, NULL));
    ck_assert_uint_eq(change.count, 1);
    ck_assert_int_eq(change.puts[0]->starts_ms, NOW_MS - 10 * MINUTE + 789);
    silence_change_deinit(&change);
    ck_assert_uint_eq(change.count, 0);
}
END_TEST

START_TEST(post_without_id_is_new) {
    SilenceChange first = {.count = 0}, second = {.count = 0};
    Error err = {0};
    OWN(silences) Silences *all = silences_new();
    OWN(silence) Silence *posted = make("", "a=b", -5, 10), *unknown = make("y", "a=b", 0, 10);
    ck_assert(silences_plan_post(all, posted, NOW_MS, &first, NULL));
    ck_assert(silences_plan_post(all, posted, NOW_MS, &second, NULL));
    ck_assert_str_ne(first.puts[0]->id, second.puts[0]->id);
    ck_assert_int_eq(first.puts[0]->starts_ms, NOW_MS);
    silence_change_deinit(&first);
    silence_change_deinit(&second);
    ck_assert(!silences_plan_post(all, unknown, NOW_MS, &first, &err));
    ck_assert_str_eq(err.text, "there is no silence `y`; without `id` it becomes a new one");
    ck_assert_uint_eq(first.count, 0);
}
END_TEST

START_TEST(there_is_a_bound) {
    SilenceChange change = {.count = 0};
    Error err = {0};
    OWN(silences) Silences *all = silences_new();
    for (size_t i = 0; i < SILENCES_MAX; i++) {
        char id[16];
        snprintf(id, sizeof id, "%zu", i);
        silences_add(all, make(id, "a=b", 0, 10));
    }
    OWN(silence) Silence *posted = make("", "a=b", 0, 10), *update = make("7", "a=b", 0, 20);
    ck_assert(!silences_plan_post(all, posted, NOW_MS, &change, &err));
    ck_assert_int_eq(err.kind, ERROR_LOCAL);
    ck_assert(silences_plan_post(all, update, NOW_MS, &change, NULL)); /* that takes no room */
    silences_apply(all, &change);
    ck_assert_uint_eq(silences_count(all), SILENCES_MAX);
}
END_TEST

static const struct Expire {
    int64_t starts, ends, want_starts;
    bool done;
} expires[] = {{-10, 10, -10, true}, {5, 10, 0, true}, {0, 10, 0, true}, {-10, -5, 0, false}, {-10, 0, 0, false}};

START_TEST(expires_now) {
    SilenceChange change = {.count = 0};
    Error err = {0};
    OWN(silences) Silences *all = silences_new();
    silences_add(all, make("x", "a=b", expires[_i].starts, expires[_i].ends));
    ck_assert(!silences_plan_expire(all, "y", NOW_MS, &change, &err));
    ck_assert_str_eq(err.text, "there is no silence `y`");
    err = (Error){0};
    ck_assert_int_eq(silences_plan_expire(all, "x", NOW_MS, &change, &err), expires[_i].done);
    if (!expires[_i].done) {
        ck_assert_str_eq(err.text, "the silence `x` has expired already");
        return;
    }
    silences_apply(all, &change);
    ck_assert_int_eq(silences_at(all, 0)->ends_ms, NOW_MS);
    ck_assert_int_eq(silences_at(all, 0)->starts_ms, NOW_MS + expires[_i].want_starts * MINUTE);
    ck_assert_int_eq(silence_state(silences_at(all, 0), NOW_MS), SILENCE_EXPIRED);
    OWN(arena) Arena *arena = arena_new();
    const SilenceRow row = silence_row(silences_at(all, 0), arena); /* it is stored, and comes back, as that */
    OWN(silence) Silence *again = silence_restore(&row, &err);
    ck_assert_msg(again != NULL, "%s", err.text);
}
END_TEST

/* --- questions --- */

static const struct Mute {
    int64_t at; /* minutes */
    const char *value; /* of the label a */
    const char *want;
} mutes[] = {
    {0, "b", "12"},
    {4, "b", "12"},
    {5, "b", "123"},
    {9, "b", "123"},
    {10, "b", "3"},
    {20, "b", ""},
    {-11, "b", ""},
    {0, "bb", "2"},
    {0, "x", ""},
    {5, "", ""},
};

static Silences *several(void) {
    Silences *all = silences_new();
    silences_add(all, make("1", "a=b", -10, 10));
    silences_add(all, make("2", "a=~b+", -10, 10));
    silences_add(all, make("3", "a=b,c!=d", 5, 20));
    silences_add(all, make("4", "a=b,e=f", -10, 10));
    return all;
}

START_TEST(mutes_while_active) {
    const char *ids[4];
    char got[32] = "";
    unsigned limits = 0;
    OWN(silences) Silences *all = several();
    OWN(labels) Labels *labels = labels_new(&(Label){"a", mutes[_i].value}, 1);
    const int64_t at_ms = NOW_MS + mutes[_i].at * MINUTE;
    const size_t count = silences_mute(all, labels, at_ms, ids, COUNT_OF(ids), &limits);
    for (size_t i = 0; i < count; i++) strcat(got, ids[i]);
    ck_assert_str_eq(got, mutes[_i].want);
    ck_assert_uint_eq(silences_mute(all, labels, at_ms, ids, 1, NULL), *mutes[_i].want ? 1 : 0);
    ck_assert_uint_eq(limits, 0);
}
END_TEST

START_TEST(knows_the_next_boundary) {
    static const int64_t want[][2] = {{-20, -10}, {-10, 5}, {4, 5}, {5, 10}, {10, 20}};
    OWN(silences) Silences *all = several();
    for (size_t i = 0; i < COUNT_OF(want); i++)
        ck_assert_int_eq(silences_next_ms(all, NOW_MS + want[i][0] * MINUTE), NOW_MS + want[i][1] * MINUTE);
    ck_assert_int_eq(silences_next_ms(all, NOW_MS + 20 * MINUTE), INT64_MAX);
}
END_TEST

START_TEST(a_clock_set_back_ends_no_silence) {
    OWN(silences) Silences *all = several();
    const int64_t before_ms = NOW_MS + 6 * MINUTE, now_ms = NOW_MS - 30 * MINUTE;
    const Silence *kept = silences_keep_active(all, before_ms, now_ms);
    ck_assert_ptr_nonnull(kept);
    const int64_t ends_ms = kept->ends_ms;
    ck_assert_int_eq(kept->starts_ms, now_ms);
    while (silences_keep_active(all, before_ms, now_ms)) {}
    for (size_t i = 0; i < silences_count(all); i++) {
        const Silence *s = silences_at(all, i);
        const bool was_active = s->starts_ms == now_ms;
        ck_assert_int_eq(silence_state(s, now_ms), was_active ? SILENCE_ACTIVE : SILENCE_PENDING);
        ck_assert(!was_active || s->ends_ms > before_ms);
    }
    ck_assert_int_eq(kept->ends_ms, ends_ms); /* as people gave it */
    ck_assert_ptr_null(silences_keep_active(all, now_ms, before_ms)); /* forth: nothing to keep */
}
END_TEST

START_TEST(forgets_what_is_stale) {
    const int64_t kept_ms = (int64_t)SILENCES_KEEP_H * 60 * MINUTE;
    OWN(silences) Silences *all = several();
    ck_assert_ptr_null(silences_stale(all, NOW_MS + 10 * MINUTE + kept_ms - 1));
    const Silence *stale = silences_stale(all, NOW_MS + 10 * MINUTE + kept_ms);
    ck_assert_str_eq(stale->id, "1");
    silences_forget(all, "1");
    silences_forget(all, "1");
    ck_assert_uint_eq(silences_count(all), 3);
    ck_assert_ptr_null(silences_find(all, "1"));
    ck_assert_str_eq(silences_stale(all, NOW_MS + 10 * MINUTE + kept_ms)->id, "2");
    ck_assert_str_eq(silences_at(all, 1)->id, "3");
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, refuses, 0, COUNT_OF(bad));
    tcase_add_test(tcase, has_bounds);
    tcase_add_loop_test(tcase, is_shown_as_alertmanager_does, 0, COUNT_OF(states));
    tcase_add_test(tcase, row_comes_back);
    tcase_add_loop_test(tcase, refuses_rows, 0, COUNT_OF(bad_rows));
    tcase_add_loop_test(tcase, post_updates_or_makes_a_new_one, 0, COUNT_OF(posts));
    tcase_add_test(tcase, post_keeps_the_very_start);
    tcase_add_test(tcase, post_without_id_is_new);
    tcase_add_test(tcase, there_is_a_bound);
    tcase_add_loop_test(tcase, expires_now, 0, COUNT_OF(expires));
    tcase_add_loop_test(tcase, mutes_while_active, 0, COUNT_OF(mutes));
    tcase_add_test(tcase, knows_the_next_boundary);
    tcase_add_test(tcase, a_clock_set_back_ends_no_silence);
    tcase_add_test(tcase, forgets_what_is_stale);
    tcase_set_timeout(tcase, 60);
}

int main(void) { return run_tests("silence", fill); }
