/* One copy a text, for as long as somebody bears it. */
#include "base/intern.h"

#include "../run.h"

#include <stdio.h>

START_TEST(one_copy_a_text) {
    char word[] = "eu-west-1";
    const char *first = intern(word), *second = intern("eu-west-1"), *other = intern("eu-west-2");
    ck_assert_ptr_eq(first, second);
    ck_assert_ptr_ne(first, word);
    ck_assert_ptr_ne(first, other);
    intern_drop(first);
    word[0] = 'x'; /* the copy is its own */
    ck_assert_str_eq(second, "eu-west-1");
    ck_assert_ptr_eq(intern(second), second);
    intern_drop(second);
    intern_drop(second);
    intern_drop(other);
    ck_assert_ptr_null(intern(NULL));
    intern_drop(NULL);
}
END_TEST

/* Under a sanitizer: what nobody bears is gone, and nothing else. */
START_TEST(many_come_and_go) {
    enum { MANY = 1000 };
    const char *all[MANY];
    char text[32];
    for (int i = 0; i < 2 * MANY; i++) {
        snprintf(text, sizeof text, "alarm-%d", i % MANY);
        const char *made = intern(text);
        if (i < MANY)
            all[i] = made;
        else
            ck_assert_ptr_eq(made, all[i - MANY]);
    }
    for (int i = 0; i < 2 * MANY; i++) {
        if (i < MANY) snprintf(text, sizeof text, "alarm-%d", i);
        if (i < MANY) ck_assert_str_eq(all[i], text);
        intern_drop(all[i % MANY]);
    }
    const char *again = intern("alarm-1");
    ck_assert_str_eq(again, "alarm-1");
    intern_drop(again);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, one_copy_a_text);
    tcase_add_test(tcase, many_come_and_go);
}

int main(void) { return run_tests("intern", fill); }
