#include "../run.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

START_TEST(arena_gives_aligned_zeroes) {
    OWN(arena) Arena *arena = arena_new();
    const size_t sizes[] = {0, 1, 7, 16, 20000, 3, 16384, 1, 100000, 8};
    char *before = NULL;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char *memory = arena_alloc(arena, sizes[i], 1);
        ck_assert(memory != before && (uintptr_t)memory % alignof(max_align_t) == 0);
        for (size_t j = 0; j < sizes[i]; j++) ck_assert_int_eq(memory[j], 0);
        memset(memory, 'x', sizes[i]);
        before = memory;
    }
    ck_assert_str_eq(arena_text(arena, "abc"), "abc");
    ck_assert_ptr_null(arena_text(arena, NULL));
    ck_assert_str_eq(arena_text_length(arena, "abcdef", 2), "ab");
    ck_assert_str_eq(arena_format(arena, "%d-%s", 5, "x"), "5-x");
    ck_assert_uint_gt(arena_bytes(arena), 136384);
}
END_TEST

START_TEST(buffer_keeps_its_bound) {
    OWN(buffer) Buffer buffer = BUFFER(1000);
    ck_assert_str_eq(buffer_string(&buffer), "");
    for (int i = 0; i < 250; i++) ck_assert(buffer_text(&buffer, "abcd"));
    ck_assert(!buffer_text(&buffer, "e") && buffer.overflow);
    ck_assert(!buffer_add(&buffer, "", 0)); /* it stays set */
    ck_assert_uint_eq(strlen(buffer.bytes), 1000);
    OWN(text) char *taken = buffer_take(&buffer);
    ck_assert(strlen(taken) == 1000 && buffer.used == 0 && !buffer.overflow);
    OWN(text) char *empty = buffer_take(&buffer);
    ck_assert_str_eq(empty, "");
}
END_TEST

START_TEST(buffer_formats_in_place) {
    OWN(buffer) Buffer buffer = BUFFER(1000);
    ck_assert(buffer_format(&buffer, "%05d", 42)); /* into nothing yet */
    ck_assert(buffer_format(&buffer, "%s", "-")); /* into what room there is */
    ck_assert_str_eq(buffer.bytes, "00042-");
    ck_assert(buffer_format(&buffer, "%0*d", (int)(buffer.room - buffer.used) - 1, 7)); /* fills it */
    ck_assert_uint_eq(strlen(buffer.bytes), buffer.room - 1);
    ck_assert(buffer_format(&buffer, "%s", "8")); /* one more than there is */
    ck_assert(buffer_format(&buffer, "%0*d", (int)(1000 - buffer.used), 9)); /* to the bound */
    ck_assert(strlen(buffer.bytes) == 1000 && buffer.used == 1000);
    ck_assert(!strncmp(buffer.bytes + 250, "000078000", 9) && buffer.bytes[999] == '9');
    ck_assert(!buffer_format(&buffer, "%d", 1) && buffer.overflow);
    ck_assert_uint_eq(strlen(buffer.bytes), 1000); /* nothing of what does not fit stays */
    OWN(buffer) Buffer small = BUFFER(8);
    ck_assert(buffer_text(&small, "abcd"));
    ck_assert(!buffer_format(&small, "%s", "efghi") && small.overflow);
    ck_assert_str_eq(small.bytes, "abcd");
}
END_TEST

START_TEST(first_error_stays) {
    Error err = {0};
    ck_assert(!error_set(&err, ERROR_REMOTE, "first %d", 1));
    ck_assert(!error_set(&err, ERROR_INPUT, "second"));
    ck_assert(!error_set(NULL, ERROR_INPUT, "nobody listens"));
    ck_assert_int_eq(err.kind, ERROR_REMOTE);
    ck_assert_str_eq(err.text, "first 1");
    char text[sizeof err.text + 10];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    memcpy(text + sizeof err.text - 2, "\xc3\xa4", 2);
    err = (Error){0};
    error_set(&err, ERROR_LOCAL, "%s", text);
    ck_assert_uint_eq(strlen(err.text), sizeof err.text - 2); /* no half character */
}
END_TEST

START_TEST(virtual_time_stands_still) {
    OWN(clock) Clock *clock = clock_new_virtual(5000);
    const int64_t mono = clock_mono_ms(clock);
    ck_assert_int_eq(clock_wall_ms(clock), 5000);
    clock_advance(clock, 10);
    clock_set_wall(clock, 99);
    ck_assert_int_eq(clock_wall_ms(clock), 99);
    ck_assert_int_eq(clock_mono_ms(clock), mono + 10);
    ck_assert_int_eq(clock_boot_ms(clock), mono + 10);
    ck_assert_int_eq(clock_mono_us(clock), (mono + 10) * 1000);
    OWN(clock) Clock *real = clock_new();
    ck_assert_int_gt(clock_wall_ms(real), 1700000000000);
    ck_assert_int_le(clock_mono_ms(real), clock_mono_ms(NULL));
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, arena_gives_aligned_zeroes);
    tcase_add_test(tcase, buffer_keeps_its_bound);
    tcase_add_test(tcase, buffer_formats_in_place);
    tcase_add_test(tcase, first_error_stays);
    tcase_add_test(tcase, virtual_time_stands_still);
}
int main(void) { return run_tests("memory", fill); }
