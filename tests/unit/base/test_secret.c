#include "base/secret.h"

#include "../run.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/guard.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/tocsin-secret-XXXXXX";

static void write_file(const char *path, const char *text, size_t length) {
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, length, file), length);
    fclose(file);
}

START_TEST(files_are_read_whole) {
    char path[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    Error err = {0};
    bool absent = false;
    ck_assert_ptr_null(secret_read(path, &absent, &err));
    ck_assert(absent && err.kind == ERROR_LOCAL);
    ck_assert_ptr_null(secret_read(folder, &absent, NULL));
    ck_assert(!absent);
    write_file(path, "a\nb\n\n", 5);
    OWN(secret) Secret *secret = secret_read(path, &absent, &err);
    size_t length;
    ck_assert_str_eq(secret_reveal(secret, &length), "a\nb\n"); /* one newline goes, the rest stays */
    ck_assert_uint_eq(length, 4);
    write_file(path, "\n", 1);
    err = (Error){0};
    ck_assert(!secret_read(path, NULL, &err) && err.kind == ERROR_INPUT);
    char *big = calloc(1, SECRET_MAX + 1);
    write_file(path, big, SECRET_MAX + 1);
    err = (Error){0};
    ck_assert(!secret_read(path, NULL, &err) && err.kind == ERROR_INPUT);
    size_t got;
    OWN(text) char *whole = file_read(path, SECRET_MAX + 1, &got, &absent, NULL);
    ck_assert(whole && got == SECRET_MAX + 1);
    err = (Error){0};
    ck_assert(!file_read(path, SECRET_MAX, &got, &absent, &err) && err.kind == ERROR_INPUT && !absent);
    unlink(path);
    ck_assert(!mkfifo(path, 0600));
    err = (Error){0};
    ck_assert(!secret_read(path, &absent, &err) && err.kind == ERROR_LOCAL); /* and does not wait for a writer */
    ck_assert(!file_read(path, 10, &got, &absent, &err));
    unlink(path);
    rmdir(folder);
    free(big);
}
END_TEST

START_TEST(copies_and_guards) {
    OWN(secret) Secret *secret = secret_new("k\0y", 3);
    OWN(secret) Secret *copy = secret_copy(secret);
    size_t length;
    ck_assert(!memcmp(secret_reveal(copy, &length), "k\0y", 4) && length == 3);
    ck_assert(!secret_copy(NULL) && !secret_free(NULL));
    char *block = guard_strdup("0123456789");
    block = guard_realloc(block, 100);
    ck_assert_str_eq(block, "0123456789");
    block = guard_realloc(block, 4);
    ck_assert(!memcmp(block, "0123", 4));
    guard_free(block);
    guard_free(NULL);
    char *fresh = guard_realloc(NULL, 3);
    ck_assert_ptr_nonnull(fresh);
    guard_free(fresh);
    ck_assert(!guard_calloc(SIZE_MAX, 2) && !guard_malloc(SIZE_MAX - 8));
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, files_are_read_whole);
    tcase_add_test(tcase, copies_and_guards);
}
int main(void) { return run_tests("secret", fill); }
