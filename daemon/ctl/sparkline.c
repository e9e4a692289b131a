#include "ctl/sparkline.h"

#include "base/alloc.h"
#include "base/own.h"

#include <math.h>
#include <string.h>

Beyond beyond_parse(const char *comparison_operator) {
    static const struct {
        const char *word;
        Beyond beyond;
    } words[] = {{">", BEYOND_ABOVE}, {">=", BEYOND_AT_OR_ABOVE}, {"<", BEYOND_BELOW}, {"<=", BEYOND_AT_OR_BELOW},
        {"GreaterThanThreshold", BEYOND_ABOVE}, {"GreaterThanOrEqualToThreshold", BEYOND_AT_OR_ABOVE},
        {"LessThanThreshold", BEYOND_BELOW}, {"LessThanOrEqualToThreshold", BEYOND_AT_OR_BELOW}};
    for (size_t i = 0; comparison_operator && i < COUNT_OF(words); i++)
        if (!strcmp(words[i].word, comparison_operator)) return words[i].beyond;
    return BEYOND_NOTHING;
}

const char *beyond_sign(Beyond beyond) {
    static const char *const signs[] = {"", ">", ">=", "<", "<="};
    return signs[beyond];
}

bool beyond_is(Beyond beyond, double value, double threshold) {
    switch (beyond) { /* NAN compares false with everything */
    case BEYOND_NOTHING: return false;
    case BEYOND_ABOVE: return value > threshold;
    case BEYOND_AT_OR_ABOVE: return value >= threshold;
    case BEYOND_BELOW: return value < threshold;
    case BEYOND_AT_OR_BELOW: return value <= threshold;
    }
    return false;
}

char *sparkline_blocks(const double *values, size_t count, double threshold) {
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    double low = threshold, high = threshold;
    for (size_t i = 0; i < count; i++) {
        low = fmin(low, values[i]); /* the other one where either is NAN */
        high = fmax(high, values[i]);
    }
    char *line = alloc_zeroed(count * 3 + 1, 1), *to = line;
    for (size_t i = 0; i < count; i++) {
        const double share =
            high > low ? (values[i] / 2 - low / 2) / (high / 2 - low / 2) : 0; /* halves: no overflow */
        to = stpcpy(to, isnan(values[i]) ? "·" : blocks[(size_t)fmin(fmax(share, 0) * 7.999, 7)]);
    }
    return line;
}

char *sparkline_marks(const double *values, size_t count, Beyond beyond, double threshold) {
    char *line = alloc_zeroed(count + 1, 1);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        line[i] = beyond_is(beyond, values[i], threshold) ? '^' : ' ';
        if (line[i] == '^') used = i + 1;
    }
    line[used] = 0;
    return line;
}
