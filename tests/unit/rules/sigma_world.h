/* Rules from texts, for the tests of Sigma. */
#ifndef TOCSIN_TESTS_SIGMA_WORLD_H
#define TOCSIN_TESTS_SIGMA_WORLD_H

#include "../run.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/json.h"
#include "rules/sigma_set.h"

#include <string.h>

/* Every problem as lines; caller frees. */
static inline char *problem_lines(const Problems *all) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    problems_print(all, out);
    fclose(out);
    return text;
}

/* The set of one file's rules, and what is wrong with it; caller frees both. */
static inline SigmaSet *set_of(const char *rules, const SigmaOptions *options, char **ret_lines) {
    static const SigmaOptions plain;
    OWN(problems) Problems *all = problems_new();
    SigmaBuilder *builder = sigma_builder_new(options ? options : &plain, all);
    const bool good = sigma_builder_text(builder, "r.yml", rules, strlen(rules));
    SigmaSet *set = sigma_builder_finish(builder);
    *ret_lines = problem_lines(all);
    if (good && problems_errors(all))
        ck_assert_ptr_nonnull(strstr(rules, "correlation")); /* told at the end only there */
    return set;
}

static inline SigmaSet *good_set(const char *rules, const SigmaOptions *options) {
    char *lines;
    SigmaSet *set = set_of(rules, options, &lines);
    ck_assert_msg(!strstr(lines, "error:"), "%s\n%s", rules, lines);
    free(lines);
    return set;
}

static inline json_t *event_of(const char *text) {
    Error err = {0};
    json_t *event = json_read(text, strlen(text), &err);
    ck_assert_msg(event != NULL, "%s: %s", text, err.text);
    return event;
}

#endif
