#include "ctl/people.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/escape.h"
#include "base/text.h"
#include "base/timetext.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *people_clean(const char *text) {
    enum { CLEAN_MAX = 1 << 20 };
    Buffer out = BUFFER(CLEAN_MAX);
    escape_control(&out, text ? text : "");
    return buffer_take(&out);
}

/* Ranges of Unicode's East_Asian_Width W and F, and of emoji; and of combining marks. Coarse: enough to keep columns.
 */
typedef struct Range {
    uint32_t first, last;
} Range;
static const Range wide[] = {{0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0xa4cf}, {0xac00, 0xd7a3}, {0xf900, 0xfaff},
    {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff},
    {0x20000, 0x3fffd}};
static const Range combining[] = {
    {0x0300, 0x036f}, {0x1ab0, 0x1aff}, {0x200b, 0x200d}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};

static bool is_in(const Range *ranges, size_t count, uint32_t code) {
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last) return true;
    return false;
}

char *people_user(void) {
    const struct passwd *user = getpwuid(geteuid());
    return user ? text_copy(user->pw_name) : text_format("uid %lld", (long long)geteuid());
}

size_t people_width(const char *text) {
    size_t width = 0, left = strlen(text);
    while (left > 0) {
        uint32_t code = 0;
        const size_t step = utf8_step(text, left, &code);
        if (step == 0) return width + left;
        if (is_in(wide, COUNT_OF(wide), code))
            width += 2;
        else if (!is_in(combining, COUNT_OF(combining), code))
            width++;
        text += step;
        left -= step;
    }
    return width;
}

char *people_when(const Clock *clock, const char *time) {
    int64_t at_ms;
    char text[TIME_TEXT_MAX], age[TIME_TEXT_MAX];
    if (!time) return text_copy("-");
    if (!time_parse(time, &at_ms)) return people_clean(time);
    time_format(at_ms, text);
    const int64_t ago_s = (clock_wall_ms(clock) - at_ms) / 1000;
    duration_format(ago_s < 0 ? -ago_s : ago_s, age);
    return text_format("%.10s %.8sZ (%s%s%s)", text, text + 11, ago_s < 0 ? "in " : "", age, ago_s < 0 ? "" : " ago");
}

char *people_number(const json_t *value) {
    if (!json_is_number(value)) return text_copy("-");
    if (json_is_integer(value)) return text_format("%lld", (long long)json_integer_value(value));
    return text_format("%.6g", json_number_value(value));
}

Paint people_state_paint(const char *state) {
    static const struct {
        const char *word;
        Paint paint;
    } paints[] = {{"ALARM", PAINT_RED}, {"OK", PAINT_GREEN}, {"INSUFFICIENT_DATA", PAINT_YELLOW}, {"parked", PAINT_RED},
        {"expired", PAINT_RED}, {"delivered", PAINT_GREEN}, {"pending", PAINT_YELLOW}, {"retry", PAINT_YELLOW},
        {"refused", PAINT_RED}, {"timeout", PAINT_RED}};
    for (size_t i = 0; state && i < COUNT_OF(paints); i++)
        if (!strcmp(paints[i].word, state)) return paints[i].paint;
    return PAINT_NONE;
}

void people_paint(FILE *out, bool colour, Paint paint, const char *text) {
    static const char *const begin[] = {[PAINT_NONE] = "",
        [PAINT_RED] = "\033[31m",
        [PAINT_GREEN] = "\033[32m",
        [PAINT_YELLOW] = "\033[33m",
        [PAINT_DIM] = "\033[2m",
        [PAINT_BOLD] = "\033[1m"};
    if (colour && paint != PAINT_NONE)
        fprintf(out, "%s%s\033[0m", begin[paint], text);
    else
        fputs(text, out);
}

typedef struct Cell {
    char *text;
    Paint paint;
} Cell;

struct Table {
    const char *const *heads;
    size_t columns;
    Cell *cells;
    size_t count, room;
};

Table *table_new(const char *const *heads) {
    Table *table = alloc_zeroed(1, sizeof *table);
    table->heads = heads;
    while (heads[table->columns]) table->columns++;
    return table;
}

Table *table_free(Table *table) {
    if (!table) return NULL;
    for (size_t i = 0; i < table->count; i++) free(table->cells[i].text);
    free(table->cells);
    free(table);
    return NULL;
}

void table_cell_take(Table *table, Paint paint, char *take_text) {
    if (table->count == table->room) {
        table->room = table->room ? table->room * 2 : 64;
        table->cells = alloc_again(table->cells, table->room, sizeof *table->cells);
    }
    table->cells[table->count++] = (Cell){people_clean(take_text), paint};
    free(take_text);
}

void table_cell(Table *table, Paint paint, const char *text) {
    table_cell_take(table, paint, text_copy(text && *text ? text : "-"));
}

static void print_line(FILE *out, bool colour, const Cell *cells, const size_t *widths, size_t columns) {
    for (size_t i = 0; i < columns; i++) {
        people_paint(out, colour, cells[i].paint, cells[i].text);
        if (i + 1 < columns) fprintf(out, "%*s", (int)(widths[i] - people_width(cells[i].text) + 2), "");
    }
    fputc('\n', out);
}

void table_print(const Table *table, FILE *out, bool colour) {
    enum { COLUMNS_MAX = 16 };
    size_t widths[COLUMNS_MAX] = {0};
    Cell heads[COLUMNS_MAX];
    const size_t columns = table->columns < COLUMNS_MAX ? table->columns : COLUMNS_MAX;
    for (size_t i = 0; i < columns; i++) {
        heads[i] = (Cell){(char *)(uintptr_t)table->heads[i], PAINT_DIM};
        widths[i] = people_width(table->heads[i]);
    }
    for (size_t i = 0; i < table->count; i++) {
        const size_t width = people_width(table->cells[i].text), column = i % table->columns;
        if (column < columns && width > widths[column]) widths[column] = width;
    }
    print_line(out, colour, heads, widths, columns);
    for (size_t i = 0; i + columns <= table->count; i += table->columns)
        print_line(out, colour, table->cells + i, widths, columns);
}
