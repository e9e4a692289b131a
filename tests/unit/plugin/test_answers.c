/* What receivers may answer, over real connections, through the plugins as they are built, into a real outbox: what
 * becomes of the notification (I4). The store is the test's; it writes down the state that each attempt ended in. */
#include "../net/server.h"
#include "../run.h"

#include "base/alloc.h"
#include "net/http.h"
#include "notify/outbox.h"
#include "notify/render.h"
#include "plugin/host.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHORT_MS = 100, ID_ROOM = 40, WORDS_ROOM = 400 };
#define ID "11111111-1111-4111-8111-111111111111"
#define QUIET "" /* nothing is said */
#define CLOSE "close" /* hangs up */
#define RESET "reset" /* and rudely */

typedef struct World {
    uv_loop_t loop;
    Clock *clock;
    Http *http;
    PluginHost *host;
    Snapshot *snapshot;
    Server server;
    Outbox *outbox;
    const char *plugin;
    char *message;
    StoreDone *asked; /* a commit that waits for its answer */
    StoreMessage *leased; /* a lease that does */
    void *asked_ctx;
    char state[16], words[WORDS_ROOM]; /* of the row after its attempt; "": it is under way */
    int heard; /* requests, or mails that were taken whole */
    const char *verb, *reply; /* SMTP: what this verb is answered; HTTP: the whole answer */
} World;

/* --- the store and the way to the plugin, as the engine wires them --- */

static void lease(void *store, const char *id, int64_t attempts, StoreMessage *done, void *ctx) {
    World *world = store;
    (void)id, (void)attempts;
    world->leased = done;
    world->asked_ctx = ctx;
}

static void finish(void *store, const OutboxResult *result, StoreDone *done, void *ctx) {
    World *world = store;
    world->asked = done;
    world->asked_ctx = ctx;
    snprintf(world->state, sizeof world->state, "%s", result->state);
    snprintf(world->words, sizeof world->words, "%s", result->last_error ? result->last_error : "");
}

static void told(void *ctx, const PluginDelivery *delivery) {
    static const SendOutcome outcomes[] = {[PLUGIN_DELIVERED] = SEND_DELIVERED,
        [PLUGIN_RETRY] = SEND_RETRY,
        [PLUGIN_REFUSED] = SEND_REFUSED,
        [PLUGIN_GONE] = SEND_GONE};
    World *world = ctx;
    const SendResult result = {
        .outcome = outcomes[delivery->outcome], .detail = delivery->detail, .retry_after_ms = delivery->retry_after_ms};
    ck_assert(outbox_sent(world->outbox, ID, 1, &result));
}

static void send_row(void *ctx, const OutboxRow *row) {
    World *world = ctx;
    plugin_host_deliver(
        world->host, row->receiver, row->plugin, (size_t)row->plugin_index, row->message_json, told, world);
}

static bool has_channel(void *ctx, const char *receiver, const char *plugin, int64_t index) {
    (void)ctx, (void)receiver, (void)plugin, (void)index;
    return true;
}
static void health(void *ctx, const char *receiver, const char *plugin, bool is_failing, const char *reason) {
    (void)ctx, (void)receiver, (void)plugin, (void)is_failing, (void)reason;
}

/* --- a world --- */

static void put(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    chmod(path, 0600);
}

static Snapshot *load(const char *directory, const char *channel) {
    static const SectionDescriptor *const sections[] = {&aws_section, &plugins_section, &receivers_section, NULL};
    static const SnapshotSchema schema = {sections, NULL};
    char folder[] = "/tmp/tocsin-answers-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    OWN(text) char *file = text_format("%s/t.yaml", folder), *secret = text_format("%s/secret", folder);
    OWN(text) char *yaml = text_format("aws: {region: eu-west-1}\nreceivers: [{name: r, %s}]\n", channel);
    OWN(problems) Problems *problems = problems_new();
    setenv("TOCSIN_PLUGIN_DIR", directory, 1);
    put(file, yaml);
    put(secret, "hush");
    Snapshot *snapshot = snapshot_load(&schema, file, false, problems);
    problems_print(problems, stderr);
    ck_assert_uint_eq(problems_errors(problems), 0);
    unlink(file);
    unlink(secret);
    rmdir(folder);
    return snapshot;
}

/* `before` and `behind` are the YAML around the address of the server. */
static void world_init(World *world, const char *plugin, const char *before, const char *behind, TalkHeard *heard) {
    Error err = {0};
    *world = (World){.plugin = plugin};
    uv_loop_init(&world->loop);
    world->clock = clock_new();
    world->http = http_new(&world->loop, world->clock, NULL);
    world->host = plugin_host_new(&world->loop, world->http, NULL, world->clock, NULL);
    server_start(&world->server, &world->loop, heard, world);
    OWN(text) char *channel = text_format("%s: {%s127.0.0.1:%d%s}", plugin, before, world->server.port, behind);
    world->snapshot = load(strcmp(plugin, "odd") == 0 ? TEST_PLUGINS : BUILT_PLUGINS, channel);
    ck_assert_msg(plugin_host_configure(world->host, world->snapshot, &err), "%s", err.text);
    world->message = render_test(ID, "r", "https://tocsin.example.org", clock_wall_ms(world->clock));
}

static void world_deinit(World *world) {
    world->host = plugin_host_free(world->host);
    world->snapshot = snapshot_free(world->snapshot);
    world->http = http_free(world->http);
    server_stop(&world->server);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&world->loop), 0);
    world->clock = clock_free(world->clock);
    free(world->message);
}

/* One attempt of a fresh notification; its circuit is fresh, too. */
static void attempt(World *world, const char *verb, const char *reply) {
    const OutboxWorld outside = {.store = world,
        .lease = lease,
        .finish = finish,
        .ctx = world,
        .send = send_row,
        .has_channel = has_channel,
        .health = health};
    const int64_t now_ms = clock_wall_ms(world->clock);
    const OutboxRow row = {.id = ID,
        .group_key = "g",
        .receiver = "r",
        .plugin = world->plugin,
        .state = "pending",
        .created_ms = now_ms,
        .next_attempt_ms = now_ms,
        .expires_ms = now_ms + 3600000};
    world->verb = verb;
    world->reply = reply;
    world->heard = 0;
    world->state[0] = 0;
    world->outbox = outbox_new(&outside, world->clock, NULL);
    outbox_add(world->outbox, &row, 1);
    outbox_run(world->outbox);
    while (!*world->state || world->asked) {
        StoreDone *done = GIVE(world->asked);
        StoreMessage *leased = GIVE(world->leased);
        if (leased)
            leased(world->asked_ctx, STORE_OK, world->message);
        else if (done)
            done(world->asked_ctx, STORE_OK);
        else
            uv_run(&world->loop, UV_RUN_ONCE);
    }
    const OutboxCounts counts = outbox_counts(world->outbox);
    const bool is_kept = counts.pending + counts.parked == 1;
    ck_assert_msg(is_kept == (strcmp(world->state, "delivered") != 0), "%s, and kept: %d", world->state, is_kept);
    world->outbox = outbox_free(world->outbox);
}

/* True: it has hung up. */
static bool hangs_up(Talk *talk, const char *reply) {
    if (strcmp(reply, RESET) == 0) {
        uv_tcp_close_reset(&talk->tcp, talk_closed);
        talk->closing = true;
    } else if (strcmp(reply, CLOSE) == 0) {
        talk_close(talk);
    }
    return talk->closing;
}

/* --- HTTP --- */

static void closed_behind(uv_shutdown_t *request, int status) {
    (void)status;
    free(request);
}

/* Says the whole answer, then ends its side: what is missing never comes. */
static size_t answer_http(Talk *talk) {
    World *world = talk->server->ctx;
    const size_t length = http_request_length(talk);
    if (!length) return 0;
    world->heard++;
    if (hangs_up(talk, world->reply)) return 0;
    if (*world->reply) {
        talk_say(talk, world->reply);
        uv_shutdown(malloc(sizeof(uv_shutdown_t)), (uv_stream_t *)&talk->tcp, closed_behind);
    }
    return length;
}

/* NULL: anything but delivered. */
static const char *wanted_of(int status) {
    if (status < 200) return NULL;
    if (status < 300) return "delivered";
    if (status == 408 || status == 425 || status == 429 || status >= 500) return "pending";
    return "parked";
}

START_TEST(each_status_has_its_fate) {
    World world;
    int counts[3] = {0};
    world_init(&world, "webhook", "url: 'http://", "/x', timeout: 20s", answer_http);
    for (int status = 100; status < 600; status++) {
        OWN(text)
        char *answer = text_format("HTTP/1.1 %d Said\r\nLocation: http://127.0.0.1:%d/else\r\nContent-Length: "
                                   "0\r\nConnection: close\r\n\r\n",
            status, world.server.port);
        const char *wanted = wanted_of(status);
        attempt(&world, NULL, answer);
        ck_assert_msg(wanted ? strcmp(world.state, wanted) == 0 : strcmp(world.state, "delivered") != 0, "%d is %s: %s",
            status, world.state, world.words);
        ck_assert_msg(world.heard == 1, "%d: asked %d times", status, world.heard); /* no redirect is followed */
        OWN(text) char *said = text_format("%d", status);
        ck_assert_msg(status < 300 || strstr(world.words, said), "%d is told as: %s", status, world.words);
        ck_assert_msg(status / 100 != 3 || status == 304 || strstr(world.words, "127.0.0.1"), "%d names no host: %s",
            status, world.words);
        counts[strcmp(world.state, "delivered") == 0 ? 0 : strcmp(world.state, "parked") == 0 ? 1 : 2]++;
    }
    printf("figure: 500 statuses of a webhook: %d delivered, %d parked, %d tried again\n", counts[0], counts[1],
        counts[2]);
    world_deinit(&world);
}
END_TEST

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
static const struct Broken {
    const char *name, *reply, *state;
} broken[] = {
    {"silence", QUIET, "pending"},
    {"hangs up", CLOSE, "pending"},
    {"resets", RESET, "pending"},
    {"a word of a status", "HTTP/1.", "pending"},
    {"no HTTP", "\x01\x02\r\n\r\n", "pending"},
    {"HTTP 0.9", "ok\r\n", "pending"},
    {"a body that is cut", OK_HEAD "Content-Length: 100\r\n\r\nok", "pending"},
    {"a chunk that is cut", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n10\r\nok", "pending"},
    {"a chunk that is none", OK_HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\nok", "pending"},
    {"a refusal that is cut", "HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\nno", NULL},
    {"no length, and the end", OK_HEAD "\r\nok", "delivered"},
    {"continue, then yes", "HTTP/1.1 100 Continue\r\n\r\n" OK_HEAD "Content-Length: 0\r\n\r\n", "delivered"},
    {"hints, then not now", "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "pending"},
    {"continue for ever", "HTTP/1.1 100 Continue\r\n\r\n", "pending"},
};

START_TEST(broken_answers_are_no_delivery) {
    const struct Broken *c = &broken[_i];
    World world;
    world_init(&world, "webhook", "url: 'http://", "/x'", answer_http);
    if (!*c->reply) plugin_host_set_patience(world.host, run_limit_ms(SHORT_MS));
    attempt(&world, NULL, c->reply);
    ck_assert_msg(c->state ? strcmp(world.state, c->state) == 0 : strcmp(world.state, "delivered") != 0, "%s is %s: %s",
        c->name, world.state, world.words);
    world_deinit(&world);
}
END_TEST

/* --- SMTP --- */

/* The usual answers, but for one verb. NULL: there is nothing to say. */
static const char *usual(const char *verb) {
    static const char *const all[][2] = {{"EHLO", "250-test\r\n250 AUTH PLAIN\r\n"}, {"HELO", "250 test\r\n"},
        {"STARTTLS", "220 go\r\n"}, {"AUTH", "235 ok\r\n"}, {"MAIL", "250 ok\r\n"}, {"RCPT", "250 ok\r\n"},
        {"DATA", "354 go\r\n"}, {"QUIT", "221 bye\r\n"}, {"end", "250 taken\r\n"}, {"greeting", "220 test ESMTP\r\n"}};
    for (size_t i = 0; i < COUNT_OF(all); i++)
        if (strcmp(verb, all[i][0]) == 0) return all[i][1];
    return "500 what\r\n";
}

static void answer_verb(Talk *talk, const char *verb) {
    World *world = talk->server->ctx;
    const bool is_it =
        strcmp(world->verb, verb) == 0 || (strcmp(world->verb, "EHLO") == 0 && strcmp(verb, "HELO") == 0);
    const char *reply = is_it ? world->reply : usual(verb);
    if (strcmp(world->verb, "STARTTLS") == 0 && strcmp(verb, "EHLO") == 0) reply = "250-test\r\n250 STARTTLS\r\n";
    if (strcmp(verb, "end") == 0 && strncmp(reply, "250 ", 4) == 0) world->heard++;
    if (hangs_up(talk, reply) || !*reply) return;
    talk_say(talk, reply);
    talk->in_data = strcmp(verb, "DATA") == 0 && *reply == '3';
}

static void greet(Talk *talk) { answer_verb(talk, "greeting"); }

static size_t answer_mail(Talk *talk) {
    const char *end = strstr(talk->heard, talk->in_data ? "\r\n.\r\n" : "\r\n");
    if (!end) return 0;
    const size_t length = (size_t)(end - talk->heard) + (talk->in_data ? 5 : 2);
    char verb[16] = "end";
    if (!talk->in_data) snprintf(verb, sizeof verb, "%.*s", (int)strcspn(talk->heard, " \r\n"), talk->heard);
    talk->in_data = false;
    answer_verb(talk, verb);
    return talk->closing ? 0 : length;
}

/* `hard`: what a 5yz there makes of the notification. */
static const struct Verb {
    const char *verb, *hard;
    const char *keys; /* of the channel, besides */
} verbs[] = {
    {"greeting", "pending", "require_tls: false"},
    {"EHLO", "pending", "require_tls: false"},
    {"STARTTLS", "pending", "require_tls: true"},
    {"AUTH", "pending", "require_tls: false, username: u, password_file: secret"},
    {"MAIL", "parked", "require_tls: false"},
    {"RCPT", "parked", "require_tls: false"},
    {"DATA", "parked", "require_tls: false"},
    {"end", "parked", "require_tls: false"},
    {"QUIT", "delivered", "require_tls: false"},
};

static void expect_state(World *world, const char *verb, const char *reply, const char *wanted) {
    attempt(world, verb, reply);
    ck_assert_msg(strcmp(world->state, wanted) == 0, "`%.20s` to %s is %s, not %s: %s", reply, verb, world->state,
        wanted, world->words);
    ck_assert_msg(world->heard == (strcmp(wanted, "delivered") == 0), "%s: %d mails were taken", verb, world->heard);
}

START_TEST(each_reply_to_each_verb_has_its_fate) {
    const struct Verb *c = &verbs[_i];
    const bool is_quit = strcmp(c->verb, "QUIT") == 0;
    World world;
    int count = 0;
    OWN(text) char *behind = text_format("', %s", c->keys);
    world_init(&world, "email", "to: a@example.org, from: t@example.org, smarthost: '", behind, answer_mail);
    world.server.opened = greet;
    for (int code = 400; code < 600; code++, count++) {
        OWN(text) char *reply = text_format("%d no\r\n", code);
        expect_state(&world, c->verb, reply, is_quit || code >= 500 ? c->hard : "pending");
        OWN(text) char *said = text_format("%d", code);
        ck_assert_msg(is_quit || strstr(world.words, said), "%s: %d is told as: %s", c->verb, code, world.words);
    }
    static const char *const rude[] = {CLOSE, RESET, "hello\r\n", "199 what\r\n", "250-and\r\n", QUIET};
    if (!is_quit) plugin_host_set_patience(world.host, run_limit_ms(SHORT_MS)); /* a mail is taken in its own time */
    for (size_t i = 0; i < COUNT_OF(rude); i++, count++)
        expect_state(&world, c->verb, rude[i], is_quit ? "delivered" : "pending");
    printf("figure: %d answers of a mail server to %s: %s\n", count, c->verb,
        is_quit                              ? "all delivered"
            : strcmp(c->hard, "parked") == 0 ? "5yz parked, the rest tried again"
                                             : "all tried again");
    world_deinit(&world);
}
END_TEST

/* --- plugins that break their promises (tests/plugins/odd.c) --- */

static const struct Oddity {
    const char *does, *state;
    bool hangs;
} oddities[] = {
    {"none", "pending", false}, /* a result of NULL */
    {"small", "pending", false}, /* of no size */
    {"hang", "pending", true},
    {"late", "pending", true}, /* answers when it is destroyed */
    {"twice", "parked", false}, /* refused, then delivered, then again: the first counts */
    {"nulls", "parked", false},
    {"misplaced", "parked", false},
    {"bodiless", "parked", false},
    {"strange", "pending", false}, /* an outcome that there is not */
    {"greedy", "parked", false},
    {"endless", "delivered", false},
    {"fine", "delivered", false},
};

static size_t hear_nothing(Talk *talk) { return talk->used; }

/* What comes late comes while the host goes, when there is no outbox any more that could take it. */
START_TEST(an_odd_plugin_loses_nothing) {
    int counts[2] = {0};
    for (size_t i = 0; i < COUNT_OF(oddities); i++) {
        const struct Oddity *c = &oddities[i];
        World world;
        OWN(text) char *before = text_format("does: %s, many: ['", c->does);
        world_init(&world, "odd", before, "']", hear_nothing);
        if (c->hangs) plugin_host_set_patience(world.host, run_limit_ms(SHORT_MS));
        attempt(&world, NULL, "");
        ck_assert_msg(strcmp(world.state, c->state) == 0, "%s: it is %s, not %s: %s", c->does, world.state, c->state,
            world.words);
        counts[strcmp(world.state, "delivered") != 0]++;
        world_deinit(&world);
    }
    printf("figure: %zu ways for a plugin to break its promises: %d notifications delivered once, %d kept\n",
        COUNT_OF(oddities), counts[0], counts[1]);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, each_status_has_its_fate);
    tcase_add_loop_test(tcase, broken_answers_are_no_delivery, 0, COUNT_OF(broken));
    tcase_add_test(tcase, an_odd_plugin_loses_nothing);
    tcase_add_loop_test(tcase, each_reply_to_each_verb_has_its_fate, 0, COUNT_OF(verbs));
}

int main(void) {
    signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    return run_tests("answers", fill);
}
