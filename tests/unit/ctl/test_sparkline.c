#include "ctl/sparkline.h"

#include "../run.h"

#include "base/alloc.h"

#include <math.h>

static const struct Case {
    double values[4];
    size_t count;
    const char *comparison;
    double threshold;
    const char *blocks, *marks;
} cases[] = {
    {{0}, 0, ">", 1, "", ""}, {{NAN, NAN}, 2, ">", 1, "··", ""}, {{NAN, NAN}, 2, ">", NAN, "··", ""},
    {{1, 1}, 2, ">", 1, "▁▁", ""}, {{1, 1}, 2, ">=", 1, "▁▁", "^^"}, {{0, 1, 2, 8}, 4, ">", 1, "▁▁▂█", "  ^^"},
    {{0, NAN, 8, 0}, 4, "GreaterThanOrEqualToThreshold", 8, "▁·█▁", "  ^"},
    {{5, 10}, 2, "<", 0, "▄█", ""}, /* the threshold is part of the scale */
    {{-1, 1}, 2, "<=", -1, "▁█", "^"}, {{0, 8}, 2, "LessThanThreshold", NAN, "▁█", ""},
    {{0, 8}, 2, "outside", 1, "▁█", ""}, {{0, 8}, 2, NULL, 1, "▁█", ""},
    {{-1.7e308, 1.7e308}, 2, ">", 0, "▁█", " ^"}, /* the distance would overflow */
};
START_TEST(lines_are_drawn) {
    const struct Case *c = &cases[_i];
    OWN(text) char *blocks = sparkline_blocks(c->values, c->count, c->threshold);
    OWN(text) char *marks = sparkline_marks(c->values, c->count, beyond_parse(c->comparison), c->threshold);
    ck_assert_str_eq(blocks, c->blocks);
    ck_assert_str_eq(marks, c->marks);
}
END_TEST
int main(void) { return run_table("sparkline", lines_are_drawn, sizeof cases / sizeof *cases); }
