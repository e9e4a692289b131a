/* The monitoring plugin's line and state. */
#include "ctl/check.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/json.h"

#include <string.h>

#define A(name, severity, more) \
    "{\"name\":\"" name "\",\"severity\":\"" severity "\",\"silenced_by\":[" more "],\"acknowledged\":null}"
#define ACKED "{\"name\":\"a\",\"severity\":\"critical\",\"silenced_by\":[],\"acknowledged\":{\"by\":\"x\"}}"
#define SEEN "{\"name\":\"xray\",\"account\":\"a\",\"region\":\"r\",\"last_error\":null}"
#define BLIND "{\"name\":\"cloudwatch\",\"account\":\"p|q\",\"region\":\"eu\",\"last_error\":\"denied\"}"

static const struct Case {
    const char *alarms, *sources;
    CheckState state;
    const char *text; /* before the bar */
    const char *figures;
} cases[] = {
    {"", "", CHECK_OK, "OK - nothing is in ALARM", "'critical'=0;;;0 'warning'=0;;;0 'info'=0;;;0 'muted'=0;;;0"},
    {"", SEEN, CHECK_OK, "OK - nothing is in ALARM", "'blind_sources'=0;;;0"},
    {A("a", "info", ""), SEEN, CHECK_OK, "OK - nothing is in ALARM", "'info'=1;;;0"},
    {A("a", "warning", ""), SEEN, CHECK_WARNING, "WARNING - 1 in ALARM: a", "'warning'=1;;;0"},
    {A("a", "warning", "") "," A("b", "error", ""), BLIND, CHECK_CRITICAL, "CRITICAL - 2 in ALARM: b, a",
        "'critical'=1;;;0"},
    {A("a", "critical", "\"s\""), SEEN, CHECK_OK, "OK - nothing is in ALARM", "'muted'=1;;;0"},
    {ACKED, "", CHECK_OK, "OK - nothing is in ALARM", "'muted'=1;;;0"},
    {ACKED, BLIND "," SEEN, CHECK_UNKNOWN, "UNKNOWN - 1 source cannot be read: cloudwatch in p/q eu",
        "'blind_sources'=1;;;0"},
    {A("a|\\u001b[1m", "critical", ""), "", CHECK_CRITICAL, "CRITICAL - 1 in ALARM: a/\\x1b[1m", "'critical'=1"},
    {A("1", "error", "") "," A("2", "error", "") "," A("3", "error", "") "," A("4", "error", "") "," A(
         "5", "error", "") "," A("6", "error", "") "," A("7", "warning", ""),
        "", CHECK_CRITICAL, "CRITICAL - 7 in ALARM: 1, 2, 3, 4, 5 and 2 more", "'critical'=6;;;0 'warning'=1;;;0"},
    {"{}", "{}", CHECK_OK, "OK - nothing is in ALARM", "'info'=1"},
};

START_TEST(the_line_and_the_state) {
    const struct Case *c = &cases[_i];
    OWN(text) char *alarms_text = text_format("[%s]", c->alarms), *sources_text = text_format("[%s]", c->sources);
    OWN(json) json_t *alarms = json_loads(alarms_text, 0, NULL);
    OWN(json) json_t *sources = json_loads(sources_text, 0, NULL);
    ck_assert(alarms && sources);
    OWN(text) char *line = NULL;
    const CheckState state = check_line(alarms, sources, &line);
    OWN(text) char *wanted = text_format("%s | ", c->text);
    ck_assert_msg(
        state == c->state && !strncmp(line, wanted, strlen(wanted)) && strstr(line, c->figures), "%d: %s", state, line);
}
END_TEST

static void fill(TCase *tcase) { tcase_add_loop_test(tcase, the_line_and_the_state, 0, (int)COUNT_OF(cases)); }

int main(void) { return run_tests("check", fill); }
