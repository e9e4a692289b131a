/* tocsinctl against a socket with a fake engine behind it: what it prints, and its exit status. */
#include "ctl/ctl.h"

#include "../control/fake_world.h"
#include "../run.h"

#include "base/alloc.h"
#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS = 12 };

typedef struct Run {
    const char *words[WORDS]; /* behind `tocsinctl`; `SOCKET` stands for the world's */
    int status;
    const char *out, *err; /* stand in what was printed; "": nothing at all; NULL: whatever */
} Run;

/* Runs the tool; the caller frees the texts. */
static int run_tool(const Run *run, const char *socket, const SnapshotSchema *schema, char **ret_out, char **ret_err) {
    size_t out_length, err_length;
    OWN(clock) Clock *clock = clock_new_virtual(INT64_C(1767323045000));
    CtlContext ctl = {.schema = schema,
        .clock = clock,
        .out = open_memstream(ret_out, &out_length),
        .err = open_memstream(ret_err, &err_length)};
    char *argv[WORDS + 2] = {"tocsinctl"};
    int argc = 1;
    for (size_t i = 0; i < WORDS && run->words[i]; i++)
        argv[argc++] = strcmp(run->words[i], "SOCKET") ? (char *)(uintptr_t)run->words[i] : (char *)(uintptr_t)socket;
    const int status = ctl_run(&ctl, argc, argv);
    fclose(ctl.out);
    fclose(ctl.err);
    return status;
}

static bool fits(const char *got, const char *want) { return !want || (*want ? strstr(got, want) != NULL : !*got); }

static void expect(const Run *run, const char *socket, const SnapshotSchema *schema) {
    OWN(text) char *out = NULL, *err = NULL;
    const int status = run_tool(run, socket, schema, &out, &err);
    ck_assert_msg(status == run->status && fits(out, run->out) && fits(err, run->err), "%s %s %s: %d, out: %s\nerr: %s",
        run->words[0] ? run->words[0] : "", run->words[1] ? run->words[1] : "", run->words[2] ? run->words[2] : "",
        status, out, err);
}

static const Run alone[] = {
    {{NULL}, CTL_USAGE, "", "usage: tocsinctl"},
    {{"--help"}, CTL_DONE, "check-config FILE", ""},
    {{"--version"}, CTL_DONE, "tocsinctl " TOCSIN_VERSION "\n", ""},
    {{"help", "alarms"}, CTL_DONE, "--state STATE", ""},
    {{"help", "alarm"}, CTL_USAGE, "", "did you mean `alarms`?"},
    {{"alarms", "--help"}, CTL_DONE, "usage: tocsinctl [--socket PATH] [--json] alarms [--state STATE] [NAME]", ""},
    {{"stauts"}, CTL_USAGE, "", "no verb `stauts`: did you mean `status`?"},
    {{"frobnicate"}, CTL_USAGE, "", "no verb `frobnicate`"},
    {{"--sokcet", "x", "status"}, CTL_USAGE, "", "no option `--sokcet`"},
    {{"--socket"}, CTL_USAGE, "", "--socket needs a path"},
    {{"alarms", "--stat", "OK"}, CTL_USAGE, "", "did you mean `--state`?"},
    {{"alarms", "--state"}, CTL_USAGE, "", "--state needs its STATE"},
    {{"alarms", "--json=1"}, CTL_USAGE, "", "--json takes no value"},
    {{"alarms", "a", "b"}, CTL_USAGE, "", "`b` is too much"},
    {{"show"}, CTL_USAGE, "", "usage: tocsinctl"},
    {{"history", "--since", "yesterday"}, CTL_USAGE, "", "--since cannot be `yesterday`"},
    {{"history", "--limit", "0"}, CTL_USAGE, "", "--limit cannot be `0`"},
    {{"notifications", "drop", "x"}, CTL_USAGE, "", "`drop` is not retry or discard"},
    {{"notifications", "retry"}, CTL_USAGE, "", "needs the notification's id"},
    {{"--socket", "/nowhere/t.sock", "status"}, CTL_UNREACHABLE, "", "nothing answers at /nowhere/t.sock"},
    {{"--socket=/nowhere/t.sock", "watch"}, CTL_UNREACHABLE, "", "nothing answers at /nowhere/t.sock"},
    {{"--socket", "/nowhere/t.sock", "check"}, CTL_UNREACHABLE, "UNKNOWN - nothing answers at /nowhere/t.sock", ""},
    {{"check", "--timeout", "0"}, CTL_UNREACHABLE, "UNKNOWN - wrong usage", "--timeout cannot be `0`"},
    {{"completion", "fish"}, CTL_USAGE, "", "`fish` is not bash or zsh"},
    {{"cost", "-c", "/nowhere/t.yaml"}, CTL_FAILED, "", "/nowhere/t.yaml"},
    {{"iam-policy", "-c", "/nowhere/t.yaml"}, CTL_FAILED, "", "/nowhere/t.yaml"},
    {{"status", "--socket", ""}, CTL_USAGE, "", "cannot be a socket's path"},
    {{"silence", "mute"}, CTL_USAGE, "", "`mute` is not add, list, update or expire"},
    {{"silence", "add", "--comment", "c"}, CTL_USAGE, "", "add needs a matcher"},
    {{"silence", "add", "a=b"}, CTL_USAGE, "", "add needs --comment"},
    {{"silence", "add", "a=b", "--comment", ""}, CTL_USAGE, "", "add needs --comment"},
    {{"silence", "add", "a", "--comment", "c"}, CTL_USAGE, "", "an operator is expected here, at character 2 of `a`"},
    {{"silence", "add", "a=b", "--comment", "c", "--for", "ever"}, CTL_USAGE, "", "--for cannot be `ever`"},
    {{"silence", "add", "a=b", "--comment", "c", "--for", "0s"}, CTL_USAGE, "", "--for cannot be `0s`"},
    {{"silence", "add", "a=b", "--comment", "c", "--start", "noon"}, CTL_USAGE, "", "--start cannot be `noon`"},
    {{"silence", "expire"}, CTL_USAGE, "", "expire needs one silence's id"},
    {{"silence", "update", "x"}, CTL_USAGE, "", "update needs --for or --comment"},
    {{"silence", "list", "x"}, CTL_USAGE, "", "`list` is not"},
    {{"check-config", "/nowhere/t.yaml"}, CTL_FAILED, "", "/nowhere/t.yaml"},
    {{"whoami", "-c", "/nowhere/t.yaml"}, CTL_FAILED, "", "/nowhere/t.yaml"},
    {{"doctor", "-c", "/nowhere/t.yaml"}, CTL_FAILED, "FAIL /nowhere/t.yaml", ""},
    {{"doctor", "--timeout", "ever"}, CTL_USAGE, "", "--timeout cannot be `ever`"},
    {{"doctor", "--timeout", "2h"}, CTL_USAGE, "", "--timeout cannot be `2h`"},
    {{"doctor", "prod"}, CTL_USAGE, "", "`prod` is too much"},
    {{"whoami", "prod"}, CTL_USAGE, "", "`prod` is too much"},
};
START_TEST(usage_is_checked_before_anybody_is_asked) {
    static const SectionDescriptor *const sections[] = {&control_section, NULL};
    expect(&alone[_i], "", &(SnapshotSchema){.sections = sections});
}
END_TEST

static const Run asked[] = {
    {{"--socket", "SOCKET", "status"}, CTL_DONE, "alarms         1 ALARM, 2 OK, 0 INSUFFICIENT_DATA\n", ""},
    {{"--socket", "SOCKET", "status"}, CTL_DONE, "ready  since 2026-01-02 02:04:05Z (1h ago)", ""},
    {{"--socket", "SOCKET", "status"}, CTL_DONE, "denied: cloudwatch:GetMetricData", ""},
    {{"status", "--json", "--socket", "SOCKET"}, CTL_DONE, "{\"alarms\":{\"ALARM\":1", ""},
    {{"--socket", "SOCKET", "alarms"}, CTL_DONE, "STATE  ALARM  SEVERITY  WHERE", ""},
    {{"--socket", "SOCKET", "alarms"}, CTL_DONE,
        "\nALARM  cpu    warning   default eu-west-1  2026-01-02 03:03:05Z (1m ago)  1.5    0.8", ""},
    {{"--socket", "SOCKET", "alarms", "--state=OK", "a/b"}, CTL_DONE, "OK     a/b ", ""},
    {{"--socket", "SOCKET", "alarms", "none"}, CTL_DONE, "no alarm `none`\n", ""},
    {{"--socket", "SOCKET", "alarms", "--state", "INSUFFICIENT_DATA"}, CTL_DONE, "no alarm is in INSUFFICIENT_DATA\n",
        ""},
    {{"--socket", "SOCKET", "alarms", "--state", "bad"}, CTL_FAILED, "", "state cannot be `bad`"},
    {{"--socket", "SOCKET", "--json", "alarms", "--state", "bad"}, CTL_FAILED, "{\"error\":{\"code\":\"bad_request\"",
        "bad"},
    {{"--socket", "SOCKET", "--json", "alarms", "cpu"}, CTL_DONE, "\"next\":null}\n", ""},
    {{"--socket", "SOCKET", "show", "cpu"}, CTL_DONE,
        "datapoints   ▁·█  03:01 to 03:03Z, from 0.5 to 1.5\n                 ^  beyond the threshold", ""},
    {{"--socket", "SOCKET", "show", "cpu"}, CTL_DONE, "value        1.5, threshold > 0.8\n", ""},
    {{"--socket", "SOCKET", "show", "cpu"}, CTL_DONE, "CHANGED ", ""},
    {{"--socket", "SOCKET", "show", "cpu"}, CTL_DONE, "2 instances: 1 ALARM, 1 OK\n\ncpu  ALARM  since", ""},
    {{"--socket", "SOCKET", "show", "a/b"}, CTL_DONE, "a/b  OK  since", ""},
    {{"--socket", "SOCKET", "show", "idle"}, CTL_DONE, "no instances", ""},
    {{"--socket", "SOCKET", "show", "cpx"}, CTL_FAILED, "", "there is no alarm `cpx`: did you mean `cpu`?"},
    {{"--socket", "SOCKET", "--json", "show", "cpx"}, CTL_FAILED, "not_found", "there is no alarm `cpx`"},
    {{"--socket", "SOCKET", "history", "-n", "1", "--since", "2h"}, CTL_DONE, "2026-01-02 03:04:05Z (0s ago)  cpu",
        "there are older ones"},
    {{"--socket", "SOCKET", "sources"}, CTL_DONE, "cloudwatch  default  eu-west-1  1m     2s   9", ""},
    {{"--socket", "SOCKET", "notifications"}, CTL_DONE,
        "parked  11111111-1111-4111-8111-111111111111  oncall    webhook  2", ""},
    {{"--socket", "SOCKET", "notifications", "retry", "x"}, CTL_DONE, "it is tried again now\n", ""},
    {{"--socket", "SOCKET", "notifications", "discard", "x"}, CTL_DONE, "discarded", ""},
    {{"--socket", "SOCKET", "test-receiver", "oncall"}, CTL_FAILED, "refused  webhook  0  403", ""},
    {{"--socket", "SOCKET", "reload"}, CTL_DONE, "reloaded\n", ""},
    {{"--socket", "SOCKET", "check"}, 1, "WARNING - 1 in ALARM: cpu | 'critical'=0;;;0 'warning'=1;;;0", ""},
    {{"--socket", "SOCKET", "--json", "check"}, 1, "\"state\":\"WARNING\",\"status\":1}", ""},
};
static void run_asked(World *world) {
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) expect(&asked[i], world->socket, NULL);
}
START_TEST(the_daemon_is_shown) {
    World world;
    with_client(run_asked, &world);
}
END_TEST

static void silence_with(World *world, Run run, const char *id) {
    for (size_t i = 0; i < WORDS && run.words[i]; i++)
        if (!strcmp(run.words[i], "ID")) run.words[i] = id;
    expect(&run, world->socket, NULL);
}

/* From its birth to its end, by the id that `add` prints. */
static void run_silence(World *world) {
    const Run add = {{"--socket", "SOCKET", "silence", "add", "alertname=cpu", "--comment", "deploy", "--for", "2h"},
        CTL_DONE, NULL, ""};
    OWN(text) char *out = NULL, *err = NULL;
    ck_assert_int_eq(run_tool(&add, world->socket, NULL, &out, &err), CTL_DONE);
    ck_assert_str_eq(err, "");
    ck_assert_uint_eq(strlen(out), UUID_TEXT); /* the id and a line break */
    out[UUID_TEXT - 1] = '\0';
    const Run then[] = {
        {{"--socket", "SOCKET", "silence"}, CTL_DONE, "  {alertname=\"cpu\"}  2026-01-02 05:04:05Z (in 2h)  ", ""},
        {{"--socket", "SOCKET", "silence", "update", "ID", "--for", "30m"}, CTL_DONE, out, ""},
        {{"--socket", "SOCKET", "silence", "list"}, CTL_DONE, "2026-01-02 03:34:05Z (in 30m)", ""},
        {{"--socket", "SOCKET", "silence", "update", "none", "--for", "30m"}, CTL_FAILED, "", "no silence `none`"},
        {{"--socket", "SOCKET", "silence", "expire", "ID"}, CTL_DONE, "expired", ""},
        {{"--socket", "SOCKET", "silence", "expire", "ID"}, CTL_FAILED, "", "has expired already"},
        {{"--socket", "SOCKET", "silence", "list"}, CTL_DONE, "no silences now", ""},
        {{"--socket", "SOCKET", "silence", "list", "--all"}, CTL_DONE, "expired  ", ""},
        {{"--socket", "SOCKET", "silence", "add", "a=b", "--comment", "c"}, CTL_DONE, "-", "matches no alarm"},
        {{"--socket", "SOCKET", "silence", "add", "region=~eu.*", "--comment", "c"}, CTL_DONE, "-",
            "it matches everything: all 3 that there are"},
        {{"--socket", "SOCKET", "silence", "add", "a=~.*", "--comment", "c"}, CTL_FAILED, "", "(400)"},
    };
    for (size_t i = 0; i < COUNT_OF(then); i++) silence_with(world, then[i], out);
}
START_TEST(a_silence_is_made_and_ended) {
    World world;
    with_client(run_silence, &world);
}
END_TEST

static void run_ack(World *world) {
    const Run runs[] = {
        {{"--socket", "SOCKET", "unack", "cpu"}, CTL_FAILED, "", "`cpu` is not acknowledged"},
        {{"--socket", "SOCKET", "ack", "a/b"}, CTL_FAILED, "", "`a/b` does not fire"},
        {{"--socket", "SOCKET", "ack", "none"}, CTL_FAILED, "", "there is no alarm `none`"},
        {{"--socket", "SOCKET", "ack", "cpu", "--for", "never"}, CTL_USAGE, "", "--for cannot be `never`"},
        {{"--socket", "SOCKET", "ack", "cpu", "--author", "ann", "--comment", "on it", "--for", "1h"}, CTL_DONE,
            "acknowledged  cpu  00000000000000bb\n", ""},
        {{"--socket", "SOCKET", "alarms", "cpu"}, CTL_DONE, "acknowledged by ann: on it; Threshold Crossed", ""},
        {{"--socket", "SOCKET", "show", "cpu"}, CTL_DONE, "told         acknowledged by ann: on it\n", ""},
        {{"--socket", "SOCKET", "--json", "ack", "00000000000000bb", "--author", "bob"}, CTL_DONE, "\"by\":\"bob\"",
            ""},
        {{"--socket", "SOCKET", "unack", "00000000000000bb"}, CTL_DONE, "nobody is on it any more  cpu", ""},
        {{"--socket", "SOCKET", "ack", "00000000000000ff"}, CTL_FAILED, "", "there is no alarm `00000000000000ff`"},
    };
    for (size_t i = 0; i < COUNT_OF(runs); i++) expect(&runs[i], world->socket, NULL);
}
START_TEST(an_alert_is_acknowledged) {
    World world;
    with_client(run_ack, &world);
}
END_TEST

static void run_routes(World *world) {
    const Run runs[] = {
        {{"--socket", "SOCKET", "routes"}, CTL_DONE,
            "-> oncall\n    by alertname; after 30s, every 5m, again after 4h\n  severity=\"critical\" -> pager, "
            "silent in "
            "nights\n      by alertname; after 30s, every 5m, again after 4h; not acknowledged for 15m: lead\n",
            ""},
        {{"--socket", "SOCKET", "routes", "test", "severity=critical", "alertname=x"}, CTL_DONE,
            "pager  {}/{severity=\"critical\"}:{alertname=\"x\"}\n    by alertname; after 30s, every 5m, again after "
            "4h; not "
            "acknowledged for 15m: lead\n    held: the time interval nights, until 2026-01-02T06:00:00.000Z\n",
            ""},
        {{"--socket", "SOCKET", "routes", "test", "severity=info", "--at", "2026-01-02T07:00:00Z"}, CTL_DONE,
            "oncall  {}:{}\n", ""},
        {{"--socket", "SOCKET", "--json", "routes", "test", "severity=info"}, CTL_DONE, "{\"at\":\"2026-01-02T03:04",
            ""},
        {{"--socket", "SOCKET", "routes", "test", "a=b", "--at", "noon"}, CTL_FAILED, "", "at cannot be `noon`"},
        {{"routes", "test"}, CTL_USAGE, "", "test needs the alert's labels"},
        {{"routes", "show"}, CTL_USAGE, "", "`show` is not test"},
        {{"routes", "test", "critical"}, CTL_USAGE, "", "`critical` is no label"},
    };
    for (size_t i = 0; i < COUNT_OF(runs); i++) expect(&runs[i], world->socket, NULL);
}
START_TEST(routes_are_shown_and_asked) {
    World world;
    with_client(run_routes, &world);
}
END_TEST

static void run_refused(World *world) {
    const Run empty[] = {
        {{"--socket", "SOCKET", "status"}, CTL_DONE,
            "the last reload was refused, 2026-01-02 03:04:05Z (0s ago): 3 errors", ""},
        {{"--socket", "SOCKET", "status"}, CTL_DONE, "not ready", ""},
        {{"--socket", "SOCKET", "sources"}, CTL_DONE, "no sources", ""},
        {{"--socket", "SOCKET", "history", "cpu"}, CTL_DONE, "no changes of cpu\n", ""},
        {{"--socket", "SOCKET", "notifications"}, CTL_DONE, "no notifications", ""},
        {{"--socket", "SOCKET", "notifications", "retry", "x"}, CTL_FAILED, "", "only a parked notification"},
        {{"--socket", "SOCKET", "reload"}, CTL_FAILED, "", "t.yaml:3:5: error: no key `alarm`"},
    };
    world->engine.reload_fails = world->engine.rows_empty = true;
    world->engine.ready = false;
    world->engine.outcome = ENGINE_WRONG_STATE;
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) expect(&empty[i], world->socket, NULL);
}
START_TEST(nothing_and_failure_are_told) {
    World world;
    with_client(run_refused, &world);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, usage_is_checked_before_anybody_is_asked, 0, (int)(sizeof alone / sizeof *alone));
    tcase_add_test(tcase, the_daemon_is_shown);
    tcase_add_test(tcase, a_silence_is_made_and_ended);
    tcase_add_test(tcase, an_alert_is_acknowledged);
    tcase_add_test(tcase, routes_are_shown_and_asked);
    tcase_add_test(tcase, nothing_and_failure_are_told);
}
int main(void) { return run_tests("ctl", fill); }
