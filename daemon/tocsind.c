/* daemon/tocsind.c: the daemon: its command line, and the wiring of what it is made of */
#include "base/clock.h"
#include "base/log.h"
#include "base/systemd.h"
#include "control/control.h"
#include "engine/check.h"
#include "engine/life.h"
#include "engine/settings.h"
#include "load.h"
#include "net/lookups.h"

#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { EXIT_DONE, EXIT_FAILED, EXIT_USAGE };

typedef struct Arguments {
    const char *file;
    bool check, once;
    LogLevel level;
    bool level_given;
} Arguments;

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"check", no_argument, NULL, 'k'},
    {"once", no_argument, NULL, 'o'},
    {"log-level", required_argument, NULL, 'l'},
    {"version", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static void usage(FILE *out) {
    fputs("usage: tocsind [-c FILE] [--check] [--once] [--log-level LEVEL]\n"
          "\n"
          "  -c, --config FILE    the configuration; default /etc/tocsin/tocsin.yaml\n"
          "      --check          say what is wrong with it, all of it, and exit: 0 good, 1 not; contacts nobody\n"
          "      --once           poll everything once, evaluate, deliver, print a line an instance, and exit\n"
          "      --log-level LEVEL  debug, info, warning or error; default: the configuration's\n"
          "      --version\n"
          "      --help\n"
          "\n"
          "Runs in the foreground. SIGHUP reads the configuration anew, SIGTERM stops. See tocsind(8).\n",
        out);
}

/* -1: go on; otherwise the exit status. */
static int parse_arguments(int argc, char **argv, Arguments *ret) {
    *ret = (Arguments){.file = "/etc/tocsin/tocsin.yaml", .level = LOG_INFO};
    for (int option; (option = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1;) {
        switch (option) {
        case 'c': ret->file = optarg; break;
        case 'k': ret->check = true; break;
        case 'o': ret->once = true; break;
        case 'l':
            ret->level_given = log_level_parse(optarg, &ret->level);
            if (ret->level_given) break;
            fprintf(stderr, "tocsind: unknown log level `%s` (debug, info, warning or error)\n", optarg);
            return EXIT_USAGE;
        case 'v': puts("tocsind " TOCSIN_VERSION); return EXIT_DONE;
        case 'h': usage(stdout); return EXIT_DONE;
        default: usage(stderr); return EXIT_USAGE;
        }
    }
    if (optind == argc) return -1;
    fprintf(stderr, "tocsind: unexpected argument `%s`\n", argv[optind]);
    usage(stderr);
    return EXIT_USAGE;
}

/* Before any thread or library: no core with secrets, zeroing allocators, lookups that do not starve the pool. */
static void prepare_process(void) {
    prctl(PR_SET_DUMPABLE, 0);
    secret_guard_libraries();
    signal(SIGPIPE, SIG_IGN);
    lookups_prepare();
    mallopt(M_ARENA_MAX, 2); /* each pool thread would keep the memory of its largest answer */
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

static int check(const char *file) {
    OWN(problems) Problems *all = problems_new();
    OWN(snapshot) Snapshot *snapshot = snapshot_load(&load_schema, file, true, all);
    problems_print(all, stderr);
    if (!snapshot || problems_errors(all)) return EXIT_FAILED;
    char *summary = check_summary(snapshot, NULL);
    puts(summary);
    free(summary);
    return EXIT_DONE;
}

/* --- the daemon --- */

typedef struct Daemon {
    Engine *engine;
    Control *control;
    uv_signal_t hangup, terminate, interrupt;
    uv_timer_t once; /* --once: looks whether the round is over */
    bool is_once, is_stopping, has_failed;
} Daemon;

static void stopped(void *ctx) {
    Daemon *daemon = ctx;
    if (daemon->is_once) daemon->has_failed = !engine_once_print(daemon->engine, stdout);
    daemon->control = control_free(daemon->control);
    daemon->engine = engine_free(daemon->engine);
    uv_close((uv_handle_t *)&daemon->hangup, NULL);
    uv_close((uv_handle_t *)&daemon->terminate, NULL);
    uv_close((uv_handle_t *)&daemon->interrupt, NULL);
    uv_close((uv_handle_t *)&daemon->once, NULL);
}

static void stop(Daemon *daemon) {
    if (daemon->is_stopping) return;
    daemon->is_stopping = true;
    systemd_stopping();
    engine_stop(daemon->engine, stopped, daemon);
}

static void on_stop_signal(uv_signal_t *signal, int number) {
    Daemon *daemon = signal->data;
    LOG(INFO, "stopping", KV("signal", number == SIGTERM ? "SIGTERM" : "SIGINT"));
    stop(daemon);
}

static void on_hangup(uv_signal_t *signal, int number) {
    (void)number;
    Daemon *daemon = signal->data;
    if (!daemon->is_stopping) engine_reload(daemon->engine, NULL, NULL); /* it logs its outcome itself */
}

static void look_whether_done(uv_timer_t *timer) {
    Daemon *daemon = timer->data;
    if (engine_once_done(daemon->engine)) stop(daemon);
}

static void listen_to_signals(uv_loop_t *loop, Daemon *daemon) {
    uv_signal_init(loop, &daemon->hangup);
    uv_signal_init(loop, &daemon->terminate);
    uv_signal_init(loop, &daemon->interrupt);
    uv_timer_init(loop, &daemon->once);
    daemon->hangup.data = daemon->terminate.data = daemon->interrupt.data = daemon->once.data = daemon;
    uv_signal_start(&daemon->hangup, on_hangup, SIGHUP);
    uv_signal_start(&daemon->terminate, on_stop_signal, SIGTERM);
    uv_signal_start(&daemon->interrupt, on_stop_signal, SIGINT);
    if (daemon->is_once) uv_timer_start(&daemon->once, look_whether_done, 100, 100);
}

static bool same_text(const char *a, const char *b) { return a && b ? !strcmp(a, b) : a == b; }

/* What only a restart can change. */
static bool accept_reload(void *ctx, const Snapshot *before, const Snapshot *after, Problems *all) {
    (void)ctx;
    const ControlSection *old = snapshot_section(before, &control_section),
                         *new = snapshot_section(after, &control_section);
    const Place top = {snapshot_file(after), 1, 1};
    if (!same_text(old->socket, new->socket))
        problem_add(all, top, "restart Tocsin, or put it back", "control.socket changed, which needs a restart");
    if (!same_text(old->listen, new->listen))
        problem_add(all, top, "restart Tocsin, or put it back", "control.listen changed, which needs a restart");
    return !problems_errors(all);
}

static int fail(const char *file, const Error *err) {
    LOG(ERROR, "could not start", KV("file", file), KV("error", err->text));
    return EXIT_FAILED;
}

static Snapshot *load(const Arguments *arguments) {
    OWN(problems) Problems *all = problems_new();
    OWN(snapshot) Snapshot *snapshot = snapshot_load(&load_schema, arguments->file, false, all);
    problems_print(all, stderr);
    if (!snapshot || problems_errors(all)) return NULL;
    const LogSection *log = snapshot_section(snapshot, &log_section);
    log_setup((LogFormat)log->format, arguments->level_given ? arguments->level : (LogLevel)log->level);
    return GIVE(snapshot);
}

static int serve(uv_loop_t *loop, const Arguments *arguments, const Clock *clock, Snapshot *take_snapshot) {
    OWN(snapshot) Snapshot *snapshot = take_snapshot;
    Daemon daemon = {.is_once = arguments->once};
    Error err = {0};
    const EngineOptions options = {.loop = loop,
        .clock = clock,
        .schema = &load_schema,
        .file = arguments->file,
        .snapshot = snapshot,
        .once = arguments->once,
        .level_given = arguments->level_given,
        .accept = accept_reload};
    daemon.engine = engine_open(&options, &err);
    if (!daemon.engine) return fail(arguments->file, &err);
    if (!arguments->once) {
        daemon.control = control_new(daemon.engine, snapshot, &err);
        if (!daemon.control) {
            daemon.engine = engine_free(daemon.engine);
            uv_run(loop, UV_RUN_DEFAULT);
            return fail(arguments->file, &err);
        }
    }
    listen_to_signals(loop, &daemon);
    engine_start(daemon.engine);
    const PlanCost cost = engine_cost(daemon.engine);
    char *summary = check_summary(snapshot, &cost);
    LOG(INFO, "started", KV("version", TOCSIN_VERSION), KV("configuration", summary));
    systemd_ready(summary);
    free(summary);
    snapshot = snapshot_free(snapshot); /* the engine has it, until a reload: then its secrets go */
    uv_run(loop, UV_RUN_DEFAULT);
    if (!arguments->once) LOG(INFO, "stopped");
    return daemon.has_failed ? EXIT_FAILED : EXIT_DONE;
}

static int run(const Arguments *arguments) {
    OWN(snapshot) Snapshot *snapshot = load(arguments);
    if (!snapshot) return EXIT_FAILED;
    OWN(clock) Clock *clock = clock_new();
    uv_loop_t loop;
    uv_loop_init(&loop);
    const int status = serve(&loop, arguments, clock, GIVE(snapshot));
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return status;
}

int main(int argc, char **argv) {
    Arguments arguments;
    const int early = parse_arguments(argc, argv, &arguments);
    if (early >= 0) return early;
    prepare_process();
    return arguments.check ? check(arguments.file) : run(&arguments);
}
