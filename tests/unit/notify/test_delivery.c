/* Which event makes what of a notification, and how long a failed one waits. */
#include "notify/delivery.h"

#include "../run.h"
#include "base/own.h"

static const struct {
    DeliveryState from;
    DeliveryEvent event;
    DeliveryState to;
} ways[] = {
    {DELIVERY_PENDING, ON_DUE, DELIVERY_SENDING},
    {DELIVERY_PENDING, ON_GONE, DELIVERY_PARKED},
    {DELIVERY_PENDING, ON_EXPIRED, DELIVERY_EXPIRED},
    {DELIVERY_SENDING, ON_UNLEASED, DELIVERY_PENDING},
    {DELIVERY_SENDING, ON_ACCEPTED, DELIVERY_DELIVERED},
    {DELIVERY_SENDING, ON_FAILED, DELIVERY_PENDING},
    {DELIVERY_SENDING, ON_REFUSED, DELIVERY_PARKED},
    {DELIVERY_SENDING, ON_GONE, DELIVERY_PARKED},
    {DELIVERY_SENDING, ON_EXPIRED, DELIVERY_EXPIRED},
    {DELIVERY_PARKED, ON_RETRY, DELIVERY_PENDING},
    {DELIVERY_PARKED, ON_DISCARD, DELIVERY_DISCARDED},
};

static int wanted(DeliveryState from, DeliveryEvent event) {
    for (size_t i = 0; i < COUNT_OF(ways); i++)
        if (ways[i].from == from && ways[i].event == event) return (int)ways[i].to;
    return -1;
}

START_TEST(every_other_event_is_too_late) {
    for (int from = 0; from < DELIVERY_STATES; from++)
        for (int event = 0; event < DELIVERY_EVENTS; event++) {
            DeliveryState next = DELIVERY_STATES;
            const bool does = delivery_next((DeliveryState)from, (DeliveryEvent)event, &next);
            ck_assert_int_eq(does ? (int)next : -1, wanted((DeliveryState)from, (DeliveryEvent)event));
        }
}
END_TEST

START_TEST(words_read_back) {
    DeliveryState state;
    ck_assert(!delivery_state_parse("", &state));
    ck_assert(!delivery_state_parse("Pending", &state));
    for (int i = 0; i < DELIVERY_STATES; i++) {
        ck_assert(delivery_state_parse(delivery_state_word((DeliveryState)i), &state));
        ck_assert_int_eq((int)state, i);
    }
}
END_TEST

static const struct {
    int64_t attempts, wish_ms;
    uint64_t random;
    int64_t want_ms;
} waits[] = {
    {1, 0, 0, 0},
    {1, 0, 2000, 2000},
    {1, 0, 2001, 0}, /* full jitter: from nothing to the whole */
    {2, 0, 4000, 4000},
    {9, 0, 512000, 512000},
    {10, 0, 600000, 600000},
    {10, 0, 600001, 0},
    {1000000, 0, 599999, 599999},
    {0, 0, 2000, 2000},
    {1, 30000, 5, 30000}, /* the receiver's wish */
    {10, 1000, 500000, 500000}, /* waited longer anyway */
    {1, INT64_MAX, 0, 3600000}, /* a wish has its bound */
    {1, -5, 0, 0},
};

START_TEST(waits_longer_each_time) {
    ck_assert_int_eq(delivery_backoff_ms(waits[_i].attempts, waits[_i].wish_ms, waits[_i].random), waits[_i].want_ms);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, every_other_event_is_too_late);
    tcase_add_test(tcase, words_read_back);
    tcase_add_loop_test(tcase, waits_longer_each_time, 0, COUNT_OF(waits));
}

int main(void) { return run_tests("delivery", fill); }
