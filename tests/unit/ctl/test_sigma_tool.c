/* tocsinctl sigma test: what a file of events may be, and what the tool prints and answers. */
#include "ctl/ctl.h"
#include "ctl/sigma_events.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/json.h"

#include <string.h>
#include <unistd.h>

/* --- files of events, malformed first --- */

typedef struct Seen {
    char names[64]; /* the eventNames, one behind the other */
    size_t last_line;
} Seen;

static void see(void *ctx, const json_t *event, size_t line) {
    Seen *seen = ctx;
    const char *name = json_text(event, "eventName");
    const size_t at = strlen(seen->names);
    if (at + 1 < sizeof seen->names) seen->names[at] = name ? *name : '?';
    seen->last_line = line;
}

static bool read_text(const char *text, size_t length, Seen *seen, SkipCounts *skipped, Error *err) {
    FILE *in = fmemopen((void *)(uintptr_t)text, length, "r");
    ck_assert_ptr_nonnull(in);
    *seen = (Seen){0};
    const bool good = sigma_events_read(in, see, seen, skipped, err);
    fclose(in);
    return good;
}

static const struct File {
    const char *text, *names;
    size_t no_json, no_event, first, last_line;
} files[] = {
    {"\n", "", 0, 0, 0, 0},
    {"x\n", "", 1, 0, 1, 0},
    {"{\"eventName\": \"A\"}\n{\"eventName\":\n{\"eventName\": \"B\"}", "AB", 1, 0, 2, 3},
    {"[]\n5\n{}\nnull\n", "", 0, 4, 1, 0},
    {"\n\n{\"eventName\": \"A\"}\r\n  \n{\"eventID\": \"x\"}\n", "A?", 0, 0, 0, 5},
    {"{\"Records\": [{\"eventName\": \"A\"}, {\"eventName\": \"B\"}]}", "AB", 0, 0, 0, 1},
    {"  {\n  \"Records\" : [\n {\"eventName\": \"A\"},\n {\"x\": 1}]\n}\n", "A", 0, 1, 1, 1},
    {"{\"Records\": [{\"eventName\": \"A\"}]}\n{\"Records\": [{\"eventName\": \"B\"}]}\n", "AB", 0, 0, 0, 2},
    {"{\"Records\": 5}", "", 0, 1, 1, 0},
    {"{\"Records\": [{\"Records\": [{\"eventName\": \"A\"}]}]}", "", 0, 1, 1, 0},
    {"{\"Events\": [{\"EventId\": \"1\", \"CloudTrailEvent\": \"{\\\"eventName\\\": \\\"A\\\"}\"}], \"NextToken\": "
     "\"t\"}",
        "A", 0, 0, 0, 1},
    {"{\"NextToken\": \"t\", \"Events\": [{\"CloudTrailEvent\": \"{\"}, {\"CloudTrailEvent\": \"{}\"}]}", "", 1, 1, 1,
        0},
    {"{\"CloudTrailEvent\": \"{\\\"eventName\\\": \\\"A\\\"}\"}\n", "A", 0, 0, 0, 1},
    {"{\"detail-type\": \"AWS API Call via CloudTrail\", \"detail\": {\"eventName\": \"A\"}}\n", "A", 0, 0, 0, 1},
    {"{\"insightDetails\": {}}\n", "?", 0, 0, 0, 1},
};

START_TEST(events_are_found_in_each_kind_of_file) {
    const struct File *f = &files[_i];
    Seen seen;
    SkipCounts skipped;
    Error err = {0};
    ck_assert_msg(read_text(f->text, strlen(f->text), &seen, &skipped, &err), "%s: %s", f->text, err.text);
    ck_assert_msg(!strcmp(seen.names, f->names), "%s: %s", f->text, seen.names);
    ck_assert_uint_eq(skipped.count[SKIP_NO_JSON], f->no_json);
    ck_assert_uint_eq(skipped.count[SKIP_NO_EVENT], f->no_event);
    const SkipKind kind = f->no_json ? SKIP_NO_JSON : SKIP_NO_EVENT;
    ck_assert_uint_eq(skipped.first_line[kind], f->first);
    ck_assert_uint_eq(seen.last_line, f->last_line);
}
END_TEST

START_TEST(lines_and_documents_are_bounded) {
    Seen seen;
    SkipCounts skipped;
    Error err = {0};
    OWN(buffer) Buffer text = BUFFER(1 << 20);
    buffer_text(&text, "{\"eventName\": \"A\", \"x\": \"");
    while (text.used < EVENT_LINE_MAX - 2) buffer_text(&text, "y");
    buffer_text(&text, "\"}\n");
    ck_assert(read_text(text.bytes, text.used, &seen, &skipped, &err)); /* exactly as long as it may be */
    ck_assert_str_eq(seen.names, "A");
    text.used = 0;
    while (text.used <= EVENT_LINE_MAX) buffer_text(&text, " ");
    buffer_text(&text, "\n{\"eventName\": \"B\"}\n");
    ck_assert(read_text(text.bytes, text.used, &seen, &skipped, &err));
    ck_assert_str_eq(seen.names, "B");
    ck_assert_uint_eq(skipped.count[SKIP_TOO_LONG], 1);
    static const char cut[] = "{\"Records\": [{\"eventName\": \"A\"},";
    ck_assert(!read_text(cut, sizeof cut - 1, &seen, &skipped, &err));
    ck_assert_int_eq(err.kind, ERROR_INPUT);
}
END_TEST

/* --- the tool --- */

static const char rules[] =
    "title: Stopped\nid: s-1\nlevel: high\ndetection: {s: {eventName: StopLogging}, condition: s}\n---\n"
    "title: Part\nname: part\nlevel: low\ndetection: {s: {eventName: GetUser}, condition: s}\n---\n"
    "title: Many\nlevel: critical\ncorrelation: {type: event_count, rules: part, group-by: awsRegion, timespan: 5m, "
    "condition: {gte: 2}}\n";

static const char events[] =
    "{\"eventName\": \"StopLogging\", \"eventID\": \"e1\", \"eventTime\": \"2026-01-02T03:04:05Z\", \"awsRegion\": "
    "\"eu-west-1\", "
    "\"sourceIPAddress\": \"192.0.2.1\", \"userIdentity\": {\"arn\": \"arn:x\\u001b[31m\"}}\n"
    "{\"eventName\": \"GetUser\", \"eventID\": \"e2\", \"eventTime\": \"2026-01-02T03:05:05Z\", \"awsRegion\": "
    "\"eu-west-1\"}\n"
    "nonsense\n"
    "{\"eventName\": \"GetUser\", \"eventTime\": \"2026-01-02T03:05:05Z\", \"awsRegion\": \"eu-west-1\"}\n"
    "{\"eventName\": \"GetUser\", \"eventID\": \"e3\", \"eventTime\": \"2026-01-02T03:04:50Z\", \"awsRegion\": "
    "\"eu-west-1\"}\n";

typedef struct World {
    char folder[32];
    char *rule, *bad, *event, *quiet, *expanding, *placeholders, *wrong;
} World;

static char *put(const char *folder, const char *name, const char *text) {
    char *path = text_format("%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    return path;
}

static void world_init(World *world) {
    strcpy(world->folder, "/tmp/sigma-tool-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(world->folder));
    world->rule = put(world->folder, "rules.yml", rules);
    world->bad = put(world->folder, "bad.yml.txt", "title: Bad\ndetection: {s: {a|lke: b}, condition: s}\n");
    world->event = put(world->folder, "events.jsonl", events);
    world->expanding =
        put(world->folder, "x.txt", "title: X\ndetection: {s: {eventID|expand: '%ids%'}, condition: s}\n");
    world->placeholders = put(world->folder, "p.txt", "ids: [e1, q]\nnone: e2\n");
    world->wrong = put(world->folder, "w.txt", "'%ids%': x\nids: {a: b}\n");
    world->quiet = put(world->folder, "quiet.jsonl",
        "{\"eventName\": \"GetUser\", \"eventID\": \"e\", \"eventTime\": \"2026-01-02T03:05:05Z\"}\n");
}

static void world_deinit(World *world) {
    char *paths[] = {
        world->rule, world->bad, world->event, world->quiet, world->expanding, world->placeholders, world->wrong};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        unlink(paths[i]);
        free(paths[i]);
    }
    rmdir(world->folder);
}

/* `F`, `D`, `B`, `E`, `Q`, `X`, `P`, `W` stand for the rule file, its folder, the bad one, the events, the
 * quiet ones, a rule with a placeholder, what it stands for, and that done wrong. */
static const char *word_of(const World *world, const char *word) {
    const char *const meant[] = {world->rule, world->folder, world->bad, world->event, world->quiet, world->expanding,
        world->placeholders, world->wrong};
    const char *at = strlen(word) == 1 ? strchr("FDBEQXPW", *word) : NULL;
    return at ? meant[at - "FDBEQXPW"] : word;
}

#define STOPPED "2026-01-02T03:04:05Z  Stopped  high  e1  StopLogging  arn:x\\x1b[31m  192.0.2.1  eu-west-1\n"
#define MANY "2026-01-02T03:04:50Z  Many  critical  e3  GetUser  -  -  eu-west-1  count=2\n"

static const struct Tool {
    const char *words[8];
    int status;
    const char *out, *err; /* out: all of it; err: stands in it */
} tools[] = {
    {{"test"}, CTL_USAGE, "", "name a rule file or a folder behind `test`"},
    {{"tset", "F", "--events", "E"}, CTL_USAGE, "", "`tset` is nothing that it does"},
    {{"test", "F"}, CTL_USAGE, "", "--events says over what"},
    {{"test", "F", "--events"}, CTL_USAGE, "", "--events needs its FILE"},
    {{"test", "/nowhere.yml", "--events", "E"}, CTL_FAILED, "", "rules `/nowhere.yml` No such file"},
    {{"test", "F", "--events", "/nowhere"}, CTL_FAILED, "", "/nowhere: No such file"},
    {{"test", "F", "--events", "/"}, CTL_FAILED, "", "cannot be read: Is a directory"},
    {{"test", "F", "B", "--events", "E"}, CTL_FAILED, "", ":2:17: error: Bad: unknown modifier `lke`"},
    {{"test", "F", "F", "--events", "E"}, CTL_FAILED, "", "`s-1` is a rule's already"},
    {{"test", "F", "--events", "Q"}, CTL_FAILED, "", "2 rules over 1 events: 0 matches\n"},
    {{"test", "F", "--events", "E"}, CTL_DONE, STOPPED MANY, "skipped 1 that is no JSON, the first in line 3\n"},
    {{"test", "F", "--events", "E"}, CTL_DONE, STOPPED MANY,
        "1 matches without eventTime or eventID were not correlated\n"},
    {{"test", "D", "--events", "E"}, CTL_DONE, STOPPED MANY, "2 rules over 4 events: 2 matches\n"},
    {{"test", "X", "--events", "E"}, CTL_FAILED, "", "the placeholder `%ids%` is not known"},
    {{"test", "X", "--events", "E", "--placeholders", "W"}, CTL_FAILED, "",
        "w.txt:1:1: error: `%ids%` cannot name a placeholder (without the percent signs)\n"},
    {{"test", "X", "--events", "E", "--placeholders", "W"}, CTL_FAILED, "",
        "w.txt:2:6: error: a placeholder stands for texts"},
    {{"test", "X", "--events", "E", "--placeholders", "/nowhere"}, CTL_FAILED, "",
        "/nowhere:1:1: error: cannot be opened"},
    {{"test", "X", "--events", "E", "--placeholders", "P"}, CTL_DONE,
        "2026-01-02T03:04:05Z  X  medium  e1  StopLogging  arn:x\\x1b[31m  192.0.2.1  eu-west-1\n",
        "1 rules over 4 events"},
    {{"test", "F", "--events", "E", "--json"}, CTL_DONE,
        "{\"actor\":\"arn:x\\u001B[31m\",\"event_id\":\"e1\",\"event_name\":\"StopLogging\",\"level\":\"high\","
        "\"line\":1,\"region\":\"eu-west-1\","
        "\"rule\":\"Stopped\",\"rule_id\":\"s-1\",\"severity\":\"error\",\"source_address\":\"192.0.2.1\",\"time\":"
        "\"2026-01-02T03:04:05Z\"}\n"
        "{\"actor\":\"\",\"count\":2,\"event_id\":\"e3\",\"event_name\":\"GetUser\",\"level\":\"critical\",\"line\":5,"
        "\"region\":\"eu-west-1\","
        "\"rule\":\"Many\",\"rule_id\":null,\"severity\":\"critical\",\"source_address\":\"\",\"time\":\"2026-01-02T03:"
        "04:50Z\"}\n",
        ""},
};

START_TEST(the_tool_answers) {
    const struct Tool *t = &tools[_i];
    World world;
    world_init(&world);
    OWN(text) char *out = NULL, *err = NULL;
    size_t out_length, err_length;
    OWN(clock) Clock *clock = clock_new_virtual(0);
    CtlContext ctl = {
        .clock = clock, .out = open_memstream(&out, &out_length), .err = open_memstream(&err, &err_length)};
    char *argv[COUNT_OF(t->words) + 3] = {"tocsinctl", "sigma"};
    int argc = 2;
    for (size_t i = 0; i < COUNT_OF(t->words) && t->words[i]; i++)
        argv[argc++] = (char *)(uintptr_t)word_of(&world, t->words[i]);
    const int status = ctl_run(&ctl, argc, argv);
    fclose(ctl.out);
    fclose(ctl.err);
    world_deinit(&world);
    ck_assert_msg(status == t->status, "%d: %s", status, err);
    ck_assert_str_eq(out, t->out);
    ck_assert_msg(strstr(err, t->err) != NULL, "%s", err);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, events_are_found_in_each_kind_of_file, 0, (int)COUNT_OF(files));
    tcase_add_test(tcase, lines_and_documents_are_bounded);
    tcase_add_loop_test(tcase, the_tool_answers, 0, (int)COUNT_OF(tools));
}

int main(void) { return run_tests("sigma tool", fill); }
