#include "ctl/sse.h"

#include "../run.h"

#include <stdio.h>
#include <string.h>

static void collect(void *ctx, const char *kind, const char *data) {
    char *all = ctx;
    const size_t used = strlen(all);
    snprintf(all + used, 256 - used, "[%s|%s]", kind, data);
}

static const struct Case {
    const char *stream, *want;
} cases[] = {
    {"", ""},
    {"\n\n\n", ""},
    {"data: cut off", ""},
    {"data: cut off\n", ""},
    {": tocsin\n\n: keep-alive\n\n", ""},
    {"event: transition\ndata: {}\n\n", "[transition|{}]"},
    {"data:x\n\ndata: y\n\n", "[message|x][message|y]"},
    {"event: a\n\ndata: y\n\n", "[message|y]"}, /* an event without data is none */
    {"data: a\ndata: b\nid: 7\nnonsense\n\n", "[message|a\nb]"},
    {"dataset: a\n\n", ""},
};
START_TEST(events_whatever_the_pieces) {
    const struct Case *c = &cases[_i];
    for (size_t piece = 1; piece <= strlen(c->stream) + 1; piece++) {
        char all[256] = "";
        Sse sse;
        sse_init(&sse, collect, all);
        for (size_t at = 0; at < strlen(c->stream); at += piece) {
            const size_t left = strlen(c->stream) - at;
            ck_assert(sse_feed(&sse, c->stream + at, left < piece ? left : piece));
        }
        sse_deinit(&sse);
        ck_assert_str_eq(all, c->want);
    }
}
END_TEST

START_TEST(a_line_without_end_is_refused) {
    static char long_line[SSE_LINE_MAX];
    memset(long_line, 'x', sizeof long_line);
    Sse sse;
    sse_init(&sse, collect, NULL);
    ck_assert(sse_feed(&sse, long_line, sizeof long_line));
    ck_assert(!sse_feed(&sse, "x", 1));
    sse_deinit(&sse);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, events_whatever_the_pieces, 0, (int)(sizeof cases / sizeof *cases));
    tcase_add_test(tcase, a_line_without_end_is_refused);
}
int main(void) { return run_tests("sse", fill); }
