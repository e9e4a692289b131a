#include "aws/walk.h"

#include "../net/server.h"
#include "../run.h"
#include "aws/process.h"
#include "base/alloc.h"
#include "base/problems.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NOW_MS 1767323045000 /* 2026-01-02T03:04:05Z */
#define ROLE_ARN "arn:aws:iam::111122223333:role/r"
#define KEYS_JSON \
    "{\"Code\":\"Success\",\"AccessKeyId\":\"ASIAX\",\"SecretAccessKey\":\"s3cret\",\"Token\":\"t0ken\"," \
    "\"Expiration\":" \
    "\"2026-01-02T09:00:00Z\"}"
#define OLD_JSON \
    "{\"AccessKeyId\":\"ASIAX\",\"SecretAccessKey\":\"s3cret\",\"Token\":\"t0ken\",\"Expiration\":\"2026-01-02T03:00:" \
    "00Z\"}"
#define XML_KEYS \
    "<R><Credentials><AccessKeyId>ASIAS</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</" \
    "SessionToken>" \
    "<Expiration>2026-01-02T04:04:05Z</Expiration></Credentials></R>"

/* What is answered to a request that begins so; `times` 0: always. The first that fits and is not used up. */
typedef struct Reply {
    const char *request;
    int status; /* 0: nothing is said */
    const char *body;
    int times;
} Reply;

typedef struct World {
    uv_loop_t loop;
    Clock *clock;
    Http *http;
    Aws *aws;
    Server server;
    const Reply *replies;
    int used[8], done;
    char heard[16384], folder[64], id[32], origin[256];
    int64_t expires_ms;
    AwsFailure failure;
} World;

static size_t serve(Talk *talk) {
    World *world = talk->server->ctx;
    const size_t length = http_request_length(talk);
    if (!length) return 0;
    const size_t used = strlen(world->heard);
    snprintf(world->heard + used, sizeof world->heard - used, "%.*s\n", (int)length, talk->heard);
    for (size_t i = 0; i < 8 && world->replies[i].request; i++) {
        const Reply *reply = &world->replies[i];
        if (strncmp(talk->heard, reply->request, strlen(reply->request)) != 0) continue;
        if (reply->times && world->used[i] == reply->times) continue;
        world->used[i]++;
        if (!reply->status) return length;
        OWN(text)
        char *text = text_format("HTTP/1.1 %d X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: %zu\r\n\r\n%s",
            reply->status, strlen(reply->body), reply->body);
        talk_say(talk, text);
        return length;
    }
    talk_say(talk, "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n");
    return length;
}

static void configure(World *world) {
    static const SectionDescriptor *const sections[] = {&aws_section, NULL};
    static const SnapshotSchema schema = {sections, NULL};
    OWN(text) char *path = text_format("%s/tocsin.yaml", world->folder);
    OWN(problems) Problems *problems = problems_new();
    FILE *file = fopen(path, "w");
    fprintf(file, "aws: {region: eu-west-1, endpoint_url: 'http://127.0.0.1:%d'}\n", world->server.port);
    fclose(file);
    OWN(snapshot) Snapshot *snapshot = snapshot_load(&schema, path, false, problems);
    aws_configure(world->aws, snapshot);
    unlink(path);
}

static void begin(World *world, const Reply *replies) {
    *world = (World){.replies = replies};
    signal(SIGPIPE, SIG_IGN);
    clearenv();
    snprintf(world->folder, sizeof world->folder, "/tmp/test_walk.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(world->folder));
    setenv("HOME", world->folder, 1);
    setenv("PATH", "/usr/bin:/bin", 1);
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* never for what is asked here */
    uv_loop_init(&world->loop);
    world->clock = clock_new_virtual(NOW_MS);
    world->http = http_new(&world->loop, world->clock, NULL);
    world->aws = aws_new(&world->loop, world->http, world->clock, NULL);
    server_start(&world->server, &world->loop, serve, world);
    configure(world);
}

static void end(World *world) {
    aws_free(world->aws);
    http_free(world->http);
    server_stop(&world->server);
    while (world->server.open) uv_run(&world->loop, UV_RUN_ONCE);
    while (uv_run(&world->loop, UV_RUN_DEFAULT)) {} /* stopped by done() */
    ck_assert_int_eq(uv_loop_close(&world->loop), 0);
    clock_free(world->clock);
    rmdir(world->folder);
}

static void done(void *ctx, AwsKeys *take_keys, const AwsFailure *failure) {
    World *world = ctx;
    OWN(aws_keys) AwsKeys *keys = take_keys;
    world->done++;
    world->failure = *failure;
    snprintf(world->id, sizeof world->id, "%s", keys ? keys->id : "");
    snprintf(world->origin, sizeof world->origin, "%s", keys ? keys->origin : "");
    world->expires_ms = keys ? keys->expires_ms : 0;
    uv_stop(&world->loop);
}

static Walk *go(World *world, Way *way) {
    Walk *walk = walk_start(world->aws, way, done, world);
    ck_assert_int_eq(world->done, 0); /* never inside */
    return walk;
}

static Way *way_of(WayLink link) {
    Way *way = alloc_zeroed(1, sizeof *way);
    way->links[0] = link;
    way->links[0].origin = text_copy("there");
    way->links[0].profile = text_copy("p");
    way->count = 1;
    return way;
}

static Way *at_server(const World *world, WayKind kind) {
    return way_of((WayLink){.kind = kind,
        .url = text_format("http://127.0.0.1:%d%s", world->server.port, kind == WAY_CONTAINER ? "/creds" : ""),
        .token = kind == WAY_CONTAINER ? secret_new("authorized", 10) : NULL});
}

#define PUT "PUT /latest/api/token"
#define ROLES "GET /latest/meta-data/iam/security-credentials/ HTTP"
#define KEYS "GET /latest/meta-data/iam/security-credentials/my-role HTTP"
#define TOKEN \
    { PUT, 200, "TOK" }

static const struct Case {
    WayKind kind;
    Reply replies[6];
    const char *want; /* a part of why; NULL: keys */
    int puts, gets; /* how often what came */
} cases[] = {
    {WAY_INSTANCE, {{PUT, 0}}, "no answer to PUT /latest/api/token: http://127.0.0.1:", 2, 0},
    {WAY_INSTANCE, {{PUT, 403, ""}}, "status 403 (the metadata service is turned off", 1, 0},
    {WAY_INSTANCE, {{PUT, 404, "x"}}, "status 404 to PUT", 1, 0},
    {WAY_INSTANCE, {{PUT, 302, "x"}}, "status 302 to PUT", 1, 0},
    {WAY_INSTANCE, {{PUT, 200, ""}}, "something else than a token", 1, 0},
    {WAY_INSTANCE, {{PUT, 200, "a\r\nX: y"}}, "something else than a token", 1, 0},
    {WAY_INSTANCE, {TOKEN, {ROLES, 404, ""}}, "the instance has no role", 1, 1},
    {WAY_INSTANCE, {TOKEN, {ROLES, 200, "../../x"}}, "named no role", 1, 1},
    {WAY_INSTANCE, {TOKEN, {ROLES, 200, ""}}, "named no role", 1, 1},
    {WAY_INSTANCE, {TOKEN, {ROLES, 401, ""}}, "status 401 to a new token, twice", 2, 2},
    {WAY_INSTANCE, {TOKEN, {ROLES, 200, "my-role"}, {KEYS, 200, "{}"}}, "has no AccessKeyId", 1, 2},
    {WAY_INSTANCE, {TOKEN, {ROLES, 200, "my-role"}, {KEYS, 0}}, "", 1, 3},
    {WAY_INSTANCE, {TOKEN, {ROLES, 200, "my-role"}, {KEYS, 500, ""}}, "status 500", 1, 3},
    {WAY_INSTANCE, {TOKEN, {ROLES, 200, "my-role\nother"}, {KEYS, 200, KEYS_JSON}}, NULL, 1, 2},
    {WAY_INSTANCE, {{PUT, 0, NULL, 1}, TOKEN, {ROLES, 200, "my-role"}, {KEYS, 200, KEYS_JSON}}, NULL, 2, 2},
    {WAY_INSTANCE, {TOKEN, {ROLES, 401, "", 1}, {ROLES, 200, "my-role"}, {KEYS, 200, KEYS_JSON}}, NULL, 2, 3},
    {WAY_CONTAINER, {{"GET /creds", 403, "authorized"}}, "status 403 (is the authorization token", 0, 1},
    {WAY_CONTAINER, {{"GET /creds", 302, ""}}, "status 302", 0, 1},
    {WAY_CONTAINER, {{"GET /creds", 200, OLD_JSON}}, "keys that have ended (2026-01-02T03:00:00", 0, 1},
    {WAY_CONTAINER, {{"GET /creds", 500, ""}}, "status 500", 0, 3},
    {WAY_CONTAINER, {{"GET /creds", 429, "", 1}, {"GET /creds", 200, KEYS_JSON}}, NULL, 0, 2},
};

static int count_of(const char *text, const char *what) {
    int count = 0;
    for (; (text = strstr(text, what)); text++) count++;
    return count;
}

START_TEST(endpoints) {
    const struct Case *c = &cases[_i];
    World world;
    begin(&world, c->replies);
    go(&world, at_server(&world, c->kind));
    while (!world.done) uv_run(&world.loop, UV_RUN_DEFAULT);
    const char *why = world.failure.message;
    ck_assert_msg((c->want == NULL) == (strcmp(world.id, "ASIAX") == 0), "%d: %s %s", _i, world.id, why);
    if (c->want) ck_assert_msg(strstr(why, c->want) && strncmp(why, "there: ", 7) == 0, "%d: %s", _i, why);
    if (c->want) ck_assert(world.failure.class == AWS_NO_CREDENTIALS && !strstr(why, "authorized"));
    ck_assert_msg(count_of(world.heard, "PUT ") == c->puts, "%d: %s", _i, world.heard);
    ck_assert_msg(count_of(world.heard, "GET ") == c->gets, "%d: %s", _i, world.heard);
    const char *needed =
        c->kind == WAY_CONTAINER ? "\r\nAuthorization: authorized\r\n" : "\r\nX-aws-ec2-metadata-token: TOK\r\n";
    ck_assert_int_eq(count_of(world.heard, needed), c->gets);
    ck_assert_int_eq(count_of(world.heard, "\r\nX-aws-ec2-metadata-token-ttl-seconds: 21600\r\n"), c->puts);
    end(&world);
}
END_TEST

/* EC2 hands out keys that have ended while it has no others: they go on, and are asked for again later. */
START_TEST(ended_keys_of_an_instance_go_on) {
    static const Reply replies[8] = {TOKEN, {ROLES, 200, "my-role"}, {KEYS, 200, OLD_JSON}};
    World world;
    begin(&world, replies);
    go(&world, at_server(&world, WAY_INSTANCE));
    while (!world.done) uv_run(&world.loop, UV_RUN_DEFAULT);
    ck_assert_str_eq(world.origin, "there my-role");
    ck_assert_int_ge(world.expires_ms, NOW_MS + 17 * 60000);
    ck_assert_int_le(world.expires_ms, NOW_MS + 25 * 60000);
    end(&world);
}
END_TEST

#define OUT "{\\\"Version\\\":1,\\\"AccessKeyId\\\":\\\"AKIAP\\\",\\\"SecretAccessKey\\\":\\\"s3cret\\\"}"

static const struct Program {
    const char *command, *want; /* want NULL: keys */
} programs[] = {
    {"/nonexistent/helper", "cannot be started: no such file or directory"},
    {"sh -c 'exit 3'", "exit status 3"},
    {"sh -c 'echo s3cret; echo no session >&2; echo more >&2; exit 1'", "exit status 1: no session"},
    {"sh -c 'kill -9 $$'", "signal 9 ended it"},
    {"echo s3cret rubbish", "its output is no JSON object"},
    {"true", "its output is no JSON object"},
    {"sh -c 'while :; do echo 0123456789; done'", "it printed more than 65536 bytes and was killed"},
    {"head -c 1000000 /dev/zero", "it printed more than 65536 bytes and was killed"},
    {"sh -c 'echo a warning >&2; echo \"" OUT "\"'", NULL},
    {"sh -c 'test -n \"$HOME\" && test -z \"$NOTIFY_SOCKET\" && echo \"" OUT "\"'", NULL},
};

static Way *process_way(const char *command) {
    return way_of((WayLink){.kind = WAY_PROCESS, .arguments = process_split(command, NULL)});
}

START_TEST(processes) {
    const struct Program *c = &programs[_i];
    static const Reply none[8];
    World world;
    begin(&world, none);
    setenv("NOTIFY_SOCKET", "/run/x", 1);
    go(&world, process_way(c->command));
    while (!world.done) uv_run(&world.loop, UV_RUN_DEFAULT);
    const char *why = world.failure.message;
    ck_assert_msg((c->want == NULL) == (strcmp(world.id, "AKIAP") == 0), "%d: %s", _i, why);
    if (c->want) ck_assert_msg(strstr(why, c->want) && !strstr(why, "s3cret"), "%d: %s", _i, why);
    end(&world);
}
END_TEST

/* The group goes with the Aws: a grandchild that would hang for an hour does not outlive it. */
START_TEST(cancelled_anywhere) {
    static const Reply silent[8] = {{PUT, 0}, {"GET ", 0}};
    World world;
    begin(&world, silent);
    walk_cancel(go(&world, process_way("sh -c 'sleep 3600 & sleep 3600'"))); /* before it began */
    ck_assert(world.done == 1 && world.failure.class == AWS_CANCELLED);
    static const WayKind kinds[] = {WAY_INSTANCE, WAY_CONTAINER, WAY_PROCESS};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        world.done = 0;
        Way *way =
            kinds[i] == WAY_PROCESS ? process_way("sh -c 'sleep 3600 & sleep 3600'") : at_server(&world, kinds[i]);
        Walk *walk = go(&world, way);
        for (int turn = 0; turn < 5; turn++) uv_run(&world.loop, UV_RUN_NOWAIT);
        ck_assert_int_eq(world.done, 0);
        walk_cancel(walk);
        ck_assert_int_eq(world.done, 1);
    }
    end(&world);
}
END_TEST

/* A role by another role by a web token: the token's call alone is not signed. */
START_TEST(roles_in_a_row) {
    static const Reply replies[8] = {{"POST / ", 200, XML_KEYS}};
    World world;
    begin(&world, replies);
    unsetenv("http_proxy"); /* AWS's services are asked through it */
    Way *way = way_of((WayLink){.kind = WAY_ROLE,
        .role_arn = text_copy(ROLE_ARN),
        .session = text_copy("s"),
        .external_id = secret_new("ext", 3),
        .duration_s = 900});
    way->links[way->count++] = (WayLink){.kind = WAY_WEB_IDENTITY,
        .origin = text_copy("web"),
        .profile = text_copy("w"),
        .role_arn = text_copy(ROLE_ARN),
        .session = text_copy("s"),
        .token = secret_new("eyJ", 3)};
    go(&world, way);
    while (!world.done) uv_run(&world.loop, UV_RUN_DEFAULT);
    ck_assert_msg(strcmp(world.id, "ASIAS") == 0 && strcmp(world.origin, "there") == 0, "%s", world.failure.message);
    char *second = strstr(world.heard + 1, "POST / ");
    ck_assert(second && strstr(second, "Action=AssumeRole&") && strstr(second, "&ExternalId=ext&DurationSeconds=900"));
    ck_assert(
        strstr(second, "Credential=ASIAS/20260102/eu-west-1/sts/") && strstr(second, "X-Amz-Security-Token: t\r\n"));
    *second = 0;
    ck_assert(strstr(world.heard, "&WebIdentityToken=eyJ") && !strstr(world.heard, "Authorization"));
    end(&world);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, endpoints, 0, COUNT_OF(cases));
    tcase_add_loop_test(tcase, processes, 0, COUNT_OF(programs));
    tcase_add_test(tcase, ended_keys_of_an_instance_go_on);
    tcase_add_test(tcase, cancelled_anywhere);
    tcase_add_test(tcase, roles_in_a_row);
}

int main(void) { return run_tests("walk", fill); }
