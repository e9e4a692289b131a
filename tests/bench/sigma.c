/* How many events a second does a core match against the shipped packs? Prints figures; asserts nothing. */
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/json.h"
#include "rules/sigma_load.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static const char usage[] =
    "usage: bench_sigma PACKS EVENTS.jsonl [EVENTS [THREADS]]\n"
    "\n"
    "Matches EVENTS (default 1000000) events, made from those of the file by giving each a new id, against all\n"
    "rules of the folder PACKS, on THREADS (default 2) threads of their own; then parses as many. For instance:\n"
    "  build/tests/bench/bench_sigma conf/packs/cis-cloudtrail events.jsonl\n";

enum { THREADS_MAX = 64, LINES_MAX = 100000 };

typedef struct Lines {
    char **texts;
    size_t *lengths;
    json_t **events;
    size_t count, bytes;
} Lines;

typedef struct Work {
    pthread_t thread;
    const SigmaSet *set;
    const Lines *lines;
    size_t events;
    double match_s, parse_s;
    size_t matches;
} Work;

static Lines read_lines(const char *path) {
    Lines lines = {0};
    FILE *in = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t got;
    while (in && lines.count < LINES_MAX && (got = getline(&line, &room, in)) > 0) {
        json_t *event = json_read(line, (size_t)got, NULL);
        if (!json_is_object(event)) {
            json_decref(event);
            continue;
        }
        const size_t at = lines.count++;
        lines.texts = alloc_again(lines.texts, at + 1, sizeof *lines.texts);
        lines.lengths = alloc_again(lines.lengths, at + 1, sizeof *lines.lengths);
        lines.events = alloc_again(lines.events, at + 1, sizeof *lines.events);
        lines.texts[at] = text_copy_length(line, (size_t)got);
        lines.lengths[at] = (size_t)got;
        lines.events[at] = event;
        lines.bytes += (size_t)got;
    }
    free(line);
    if (in) fclose(in);
    return lines;
}

/* An event of its own for each thread: a reference count is not shared. */
static json_t **copies(const Lines *lines) {
    json_t **events = alloc_zeroed(lines->count, sizeof *events);
    for (size_t i = 0; i < lines->count; i++) events[i] = json_deep_copy(lines->events[i]);
    return events;
}

/* The processor time of this thread, so that others on the machine do not count. */
static double thread_s(void) {
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static void *work(void *ctx) {
    Work *w = ctx;
    OWN(sigma_scratch) SigmaScratch *scratch = sigma_scratch_new(w->set);
    json_t **events = copies(w->lines);
    const uint32_t *numbers;
    double began = thread_s();
    for (size_t i = 0; i < w->events; i++) {
        json_t *event = events[i % w->lines->count];
        json_object_set_new(event, "eventID", json_integer((json_int_t)i));
        w->matches += sigma_set_match(w->set, event, scratch, &numbers);
    }
    w->match_s = thread_s() - began;
    began = thread_s();
    for (size_t i = 0; i < w->events; i++) {
        const size_t at = i % w->lines->count;
        json_decref(json_read(w->lines->texts[at], w->lines->lengths[at], NULL));
    }
    w->parse_s = thread_s() - began;
    for (size_t i = 0; i < w->lines->count; i++) json_decref(events[i]);
    free(events);
    return NULL;
}

static SigmaSet *load(const char *path) {
    static const SigmaOptions options = {.product = "aws"};
    OWN(problems) Problems *problems = problems_new();
    SigmaBuilder *builder = sigma_builder_new(&options, problems);
    sigma_load(builder, path, (Place){"bench", 1, 1}, problems, NULL);
    problems_print(problems, stderr);
    return sigma_builder_finish(builder);
}

static void report(const Work *works, size_t threads, const SigmaSet *set, const Lines *lines) {
    double match_s = 0, parse_s = 0;
    size_t events = 0, matches = 0;
    struct rusage used;
    for (size_t i = 0; i < threads; i++) {
        match_s += works[i].match_s;
        parse_s += works[i].parse_s;
        events += works[i].events;
        matches += works[i].matches;
    }
    getrusage(RUSAGE_SELF, &used);
    printf("%zu rules, %zu events from %zu of %zu bytes each, %zu threads\n", sigma_set_count(set), events,
        lines->count, lines->bytes / lines->count, threads);
    printf("matching %9.0f events/s a core (%.2f matches an event)\n", (double)events / match_s,
        (double)matches / (double)events);
    printf("parsing  %9.0f events/s a core\n", (double)events / parse_s);
    printf("memory   %9ld KiB at the most\n", used.ru_maxrss);
}

int main(int argc, char **argv) {
    if (argc < 3 || argc > 5) return fputs(usage, stderr), 2;
    const size_t events = argc > 3 ? strtoul(argv[3], NULL, 10) : 1000000;
    const size_t threads = argc > 4 ? strtoul(argv[4], NULL, 10) : 2;
    OWN(sigma_set) SigmaSet *set = load(argv[1]);
    Lines lines = read_lines(argv[2]);
    Work works[THREADS_MAX];
    if (!lines.count || !events || !threads || threads > THREADS_MAX || !sigma_set_count(set))
        return fputs(usage, stderr), 2;
    for (size_t i = 0; i < threads; i++) {
        works[i] = (Work){.set = set, .lines = &lines, .events = events / threads};
        if (pthread_create(&works[i].thread, NULL, work, &works[i])) return perror("bench_sigma"), 1;
    }
    for (size_t i = 0; i < threads; i++) pthread_join(works[i].thread, NULL);
    report(works, threads, set, &lines);
    for (size_t i = 0; i < lines.count; i++) {
        free(lines.texts[i]);
        json_decref(lines.events[i]);
    }
    free(lines.texts);
    free(lines.lengths);
    free(lines.events);
    return 0;
}
