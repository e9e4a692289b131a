/* Acknowledgements: what may be posted, and of what they speak. */
#include "notify/acks.h"

#include "../run.h"

#include "base/json.h"

#include <string.h>

enum { NOW_MS = 1700000000 };

static Instance firing(const char *fingerprint) {
    Instance instance = {.firing_since_ms = NOW_MS - 1000};
    snprintf(instance.fingerprint, FINGERPRINT_TEXT, "%s", fingerprint);
    return instance;
}

static const struct {
    const char *body, *want; /* NULL: it is taken */
} posts[] = {
    {"{}", "`by` must be a text"},
    {"{\"by\":null}", "`by` must be a text"},
    {"{\"by\":\"\"}", "`by` must be a text"},
    {"{\"by\":7}", "`by` must be a text"},
    {"{\"by\":\"ann\",\"comment\":[]}", "`comment` must be a text"},
    {"{\"by\":\"ann\",\"until\":7}", "`until` must be a time"},
    {"{\"by\":\"ann\",\"until\":\"soon\"}", "`until` must be a time"},
    {"{\"by\":\"ann\",\"until\":\"1970-01-01T00:00:00Z\"}", "`until` is in the past"},
    {"{\"by\":\"ann\"}", NULL},
    {"{\"by\":\"ann\",\"comment\":null,\"until\":null}", NULL},
    {"{\"by\":\"ann\",\"comment\":\"on it\",\"until\":\"1970-02-01T00:00:00Z\"}", NULL},
};

START_TEST(is_checked) {
    Error err = {0};
    const Instance instance = firing("00000000000000aa");
    OWN(json) json_t *object = json_read(posts[_i].body, strlen(posts[_i].body), NULL);
    OWN(ack) Ack *ack = ack_read(object, &instance, NOW_MS, &err);
    ck_assert_int_eq(ack == NULL, posts[_i].want != NULL);
    if (!ack) {
        ck_assert_msg(strstr(err.text, posts[_i].want) == err.text, "%s", err.text);
        return;
    }
    const AckRow row = ack_row(ack);
    OWN(ack) Ack *again = ack_restore(&row);
    OWN(json) json_t *one = ack_json(ack), *two = ack_json(again);
    ck_assert(json_equal(one, two));
    ck_assert_int_eq(again->starts_ms, NOW_MS - 1000);
}
END_TEST

START_TEST(has_a_bound) {
    char body[2048], text[1100];
    memset(text, 'a', sizeof text);
    text[_i ? ACK_COMMENT_MAX + 1 : ACK_BY_MAX + 1] = '\0';
    snprintf(body, sizeof body, _i ? "{\"by\":\"a\",\"comment\":\"%s\"}" : "{\"by\":\"%s\"}", text);
    Error err = {0};
    const Instance instance = firing("00000000000000aa");
    OWN(json) json_t *object = json_read(body, strlen(body), NULL);
    ck_assert_ptr_null(ack_read(object, &instance, NOW_MS, &err));
    ck_assert(strstr(err.text, "bytes"));
}
END_TEST

static Ack *ack_until(const char *fingerprint, int64_t until_ms) {
    const AckRow row = {fingerprint, "ann", NULL, NOW_MS - 1000, NOW_MS, until_ms};
    return ack_restore(&row);
}

START_TEST(speaks_of_what_fires_until_its_end) {
    OWN(acks) Acks *acks = acks_new();
    Instance a = firing("00000000000000aa"), other = firing("00000000000000bb");
    acks_put(acks, ack_until("00000000000000aa", NOW_MS + 500));
    ck_assert_ptr_nonnull(acks_find(acks, &a, NOW_MS));
    ck_assert_ptr_nonnull(acks_find(acks, &a, NOW_MS + 499));
    ck_assert_ptr_null(acks_find(acks, &a, NOW_MS + 500));
    ck_assert_ptr_null(acks_find(acks, &other, NOW_MS));
    acks_put(acks, ack_until("00000000000000aa", 0));
    ck_assert_ptr_nonnull(acks_find(acks, &a, INT64_MAX));
    a.resolved_ms = NOW_MS;
    ck_assert_ptr_null(acks_find(acks, &a, NOW_MS));
    a.resolved_ms = 0;
    a.firing_since_ms = NOW_MS; /* it fires anew */
    ck_assert_ptr_null(acks_find(acks, &a, NOW_MS));
    a.firing_since_ms = NOW_MS - 1000;
    acks_remove(acks, "00000000000000aa");
    acks_remove(acks, "00000000000000aa");
    ck_assert_ptr_null(acks_find(acks, &a, NOW_MS));
}
END_TEST

static Instance known;
static Instance *find(void *ctx, const char *fingerprint) {
    (void)ctx;
    return strcmp(fingerprint, known.fingerprint) == 0 ? &known : NULL;
}

START_TEST(what_is_over_is_named) {
    OWN(acks) Acks *acks = acks_new();
    const char *stale[4];
    known = firing("00000000000000aa");
    acks_put(acks, ack_until("00000000000000aa", 0));
    acks_put(acks, ack_until("00000000000000bb", 0));
    acks_put(acks, ack_until("00000000000000cc", 0));
    ck_assert_uint_eq(acks_stale(acks, find, NULL, NOW_MS, stale, 4), 2);
    ck_assert_uint_eq(acks_stale(acks, find, NULL, NOW_MS, stale, 1), 1);
    known.resolved_ms = NOW_MS;
    ck_assert_uint_eq(acks_stale(acks, find, NULL, NOW_MS, stale, 4), 3);
    ck_assert_ptr_null(ack_restore(&(AckRow){"short", "ann", NULL, 0, 0, 0}));
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, is_checked, 0, COUNT_OF(posts));
    tcase_add_loop_test(tcase, has_a_bound, 0, 2);
    tcase_add_test(tcase, speaks_of_what_fires_until_its_end);
    tcase_add_test(tcase, what_is_over_is_named);
}

int main(void) { return run_tests("acks", fill); }
