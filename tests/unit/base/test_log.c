#include "base/log.h"

#include "../run.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/loglimit.h"
#include "base/systemd.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What the calls in between wrote to standard error; the caller frees. */
static int kept_stderr;
static FILE *captured;
static void capture(void) {
    fflush(stderr);
    captured = tmpfile();
    kept_stderr = dup(STDERR_FILENO);
    dup2(fileno(captured), STDERR_FILENO);
}
static char *release(void) {
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    rewind(captured);
    char *text = alloc_zeroed(1 << 20, 1);
    const size_t got = fread(text, 1, (1 << 20) - 1, captured);
    text[got] = '\0';
    fclose(captured);
    return text;
}

START_TEST(text_is_one_safe_line) {
    OWN(secret) Secret *key = secret_new("hunter2", 7);
    log_setup(LOG_TEXT, LOG_INFO);
    capture();
    LOG(DEBUG, "not shown");
    LOG(INFO, "polled", KV("account", "prod"), KV("datapoints", 5), KV("empty", ""), KV("said", "a \"b\" \\ \n\x1b"),
        KV("equals", "a=b"), KV("key", key));
    OWN(text) char *text = release();
    ck_assert_uint_eq(strspn(text, "0123456789-T:.Z"), 24);
    ck_assert_str_eq(text + 24,
        " INFO polled account=prod datapoints=5 empty=\"\" said=\"a \\\"b\\\" \\\\ \\x0a\\x1b\" equals=\"a=b\" "
        "key=[secret]\n");
}
END_TEST

START_TEST(json_is_one_object) {
    log_setup(LOG_JSON, LOG_WARNING);
    capture();
    LOG(ERROR, "bad \xff", KV("who", "\xe2\x80\xaetxt\n"), KV("count", (size_t)3));
    OWN(text) char *text = release();
    ck_assert_uint_eq(strcspn(text, "\n"), strlen(text) - 1);
    ck_assert_ptr_null(strstr(text, "\xe2\x80\xae"));
    OWN(json) json_t *line = json_read(text, strlen(text), NULL);
    ck_assert_str_eq(json_text(line, "level"), "error");
    ck_assert_str_eq(json_text(line, "message"), "bad \xef\xbf\xbd");
    ck_assert_str_eq(json_text(line, "who"), "\xe2\x80\xaetxt\n");
    int64_t count = 0;
    ck_assert(json_whole(line, "count", &count) && count == 3);
}
END_TEST

START_TEST(long_values_are_cut) {
    char *big = alloc_zeroed(300001, 1);
    memset(big, 'x', 300000);
    log_setup(LOG_TEXT, LOG_INFO);
    capture();
    LOG(INFO, "big", KV("a", big), KV("after", "b"));
    OWN(text) char *text = release();
    ck_assert_ptr_nonnull(strstr(text, "[297952 more bytes]\" after=b\n"));
    free(big);
}
END_TEST

START_TEST(the_sixth_is_held) {
    log_setup(LOG_TEXT, LOG_INFO);
    capture();
    for (int i = 0; i < 20; i++) LOG(INFO, "again and again", KV("account", "prod"), KV("try", i));
    LOG(INFO, "again and again", KV("account", "other"));
    OWN(text) char *text = release();
    ck_assert_ptr_nonnull(strstr(text, "try=4\n"));
    ck_assert_ptr_null(strstr(text, "try=5"));
    ck_assert_ptr_nonnull(strstr(text, "account=other"));
}
END_TEST

START_TEST(what_was_held_is_told) {
    LogLimit *limit = alloc_zeroed(1, sizeof *limit);
    LogSlot told;
    for (int i = 0; i < 12; i++) ck_assert(loglimit_take(limit, "m", "f", 1000 + i) == (i < LOGLIMIT_LINES));
    ck_assert(!loglimit_tell(limit, 1000 + LOGLIMIT_MINUTE_MS - 1, &told));
    ck_assert(!loglimit_take(limit, "m", "f", 1000 + LOGLIMIT_MINUTE_MS)); /* the count waits until it is told */
    ck_assert(loglimit_tell(limit, 1000 + LOGLIMIT_MINUTE_MS, &told));
    ck_assert(told.held == 8 && !strcmp(told.message, "m") && !strcmp(told.field, "f"));
    ck_assert(!loglimit_tell(limit, 2000 + LOGLIMIT_MINUTE_MS, &told));
    ck_assert(loglimit_take(limit, "m", "f", 1000 + LOGLIMIT_MINUTE_MS));
    for (int i = 0; i < 3 * LOGLIMIT_SLOTS; i++) { /* more than it can tell apart: it says more, not less */
        OWN(text) char *field = text_format("%d", i);
        ck_assert(loglimit_take(limit, "many", field, 200000 + i));
    }
    free(limit);
}
END_TEST

START_TEST(levels_and_surroundings) {
    LogLevel level = LOG_DEBUG;
    ck_assert(log_level_parse("warning", &level) && level == LOG_WARNING);
    ck_assert(!log_level_parse("warn", &level) && !log_level_parse("", &level) && level == LOG_WARNING);
    int extra = -1;
    unsetenv("JOURNAL_STREAM");
    unsetenv("WATCHDOG_USEC");
    unsetenv("LISTEN_FDS");
    ck_assert(!systemd_is_journal(2) && systemd_watchdog_ms() == 0 && systemd_socket(&extra) == -1 && extra == 0);
    setenv("JOURNAL_STREAM", "1:2x", 1);
    ck_assert(!systemd_is_journal(2));
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, text_is_one_safe_line);
    tcase_add_test(tcase, json_is_one_object);
    tcase_add_test(tcase, long_values_are_cut);
    tcase_add_test(tcase, the_sixth_is_held);
    tcase_add_test(tcase, what_was_held_is_told);
    tcase_add_test(tcase, levels_and_surroundings);
}
int main(void) { return run_tests("log", fill); }
