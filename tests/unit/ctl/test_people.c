#include "ctl/people.h"

#include "../run.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static const struct Width {
    const char *text;
    size_t width;
} widths[] = {{"", 0}, {"cpu", 3}, {"é", 1}, {"e\xcc\x81", 1}, {"東京", 4}, {"🔥", 2}, {"▁█", 2}, {"\xff", 1}};
START_TEST(columns_are_counted) { ck_assert_uint_eq(people_width(widths[_i].text), widths[_i].width); }
END_TEST

static const struct When {
    const char *time, *want;
} whens[] = {{NULL, "-"}, {"soon", "soon"}, {"2026-01-02T03:04:05.000Z", "2026-01-02 03:04:05Z (0s ago)"},
    {"2026-01-02T03:00:05.250Z", "2026-01-02 03:00:05Z (3m 59s ago)"},
    {"2026-01-02T03:05:05.000Z", "2026-01-02 03:05:05Z (in 1m)"}, {"\033[2J", "\\x1b[2J"}};
START_TEST(times_are_told) {
    OWN(clock) Clock *clock = clock_new_virtual(INT64_C(1767323045000));
    OWN(text) char *told = people_when(clock, whens[_i].time);
    ck_assert_str_eq(told, whens[_i].want);
}
END_TEST

static const struct Number {
    const char *json, *want;
} numbers[] = {{"null", "-"}, {"\"1\"", "-"}, {"7", "7"}, {"9007199254740993", "9007199254740993"}, {"0.8", "0.8"},
    {"0.3118591865461131", "0.311859"}, {"1e300", "1e+300"}, {"20000.0", "20000"}};
START_TEST(numbers_are_short) {
    OWN(json) json_t *value = json_loads(numbers[_i].json, JSON_DECODE_ANY, NULL);
    OWN(text) char *text = people_number(value);
    ck_assert_str_eq(text, numbers[_i].want);
}
END_TEST

static char *table_text(bool colour) {
    static const char *const heads[] = {"STATE", "NAME", "WHY", NULL};
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    OWN(table) Table *table = table_new(heads);
    table_cell(table, PAINT_RED, "ALARM");
    table_cell(table, PAINT_NONE, "東京");
    table_cell(table, PAINT_NONE, "bad\033]0;owned\007\n");
    table_cell(table, PAINT_GREEN, "OK");
    table_cell(table, PAINT_NONE, NULL);
    table_cell(table, PAINT_NONE, "");
    table_cell_take(table, PAINT_NONE, text_copy("own\033ed\n"));
    table_cell_take(table, PAINT_NONE, text_copy(""));
    table_cell_take(table, PAINT_NONE, text_copy("end"));
    table_print(table, out, colour);
    fclose(out);
    return text;
}

START_TEST(tables_are_aligned_and_harmless) {
    OWN(text) char *plain = table_text(false);
    ck_assert_str_eq(plain,
        "STATE          NAME  WHY\nALARM          東京  bad\\x1b]0;owned\\x07\\x0a\nOK             -     -\n"
        "own\\x1bed\\x0a        end\n");
    OWN(text) char *painted = table_text(true);
    ck_assert_ptr_nonnull(strstr(painted, "\033[31mALARM\033[0m          東京"));
    ck_assert_ptr_null(strstr(painted, "\033]0"));
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, columns_are_counted, 0, (int)(sizeof widths / sizeof *widths));
    tcase_add_loop_test(tcase, times_are_told, 0, (int)(sizeof whens / sizeof *whens));
    tcase_add_loop_test(tcase, numbers_are_short, 0, (int)(sizeof numbers / sizeof *numbers));
    tcase_add_test(tcase, tables_are_aligned_and_harmless);
}
int main(void) { return run_tests("people", fill); }
