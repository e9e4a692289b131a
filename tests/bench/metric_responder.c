/* tests/bench/metric_responder.c: answers GetMetricData as fast as can be, so that the daemon is what is measured:
 * every metric asked has the value 1 in each period, the metric of dimension `hot` 100 from the moment that it is told
 * to at /hot, every one from /storm on. A query `… shard = N …` gives SERIES series, named by numbers that no other
 * shard has. Takes notifications at /hook, and tells at /stats what it saw. Loopback only; a thread a connection.
 *
 *     metric_responder [SERIES [HOOKS]]    prints its port, and serves until its standard input ends
 *
 * HOOKS is a file that each notification is added to, a line each: when it came (CLOCK_MONOTONIC), a blank, its body.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 16384, BODY_MAX = 4 << 20, ANSWER_MAX = 16 << 20, RESULT_MAX = 8192, ROUND = 60, FRESH = 3 };

static struct Seen {
    pthread_mutex_t lock;
    bool is_hot, is_storm;
    FILE *hooks_file;
    uint64_t calls, metrics, datapoints, hooks, answered_bytes;
    double hot_answered, hook_after; /* monotonic s */
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER};
static int64_t series_a_shard;

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool send_all(int fd, const char *bytes, size_t length) {
    while (length) {
        const ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes += sent;
        length -= (size_t)sent;
    }
    return true;
}

static bool answer(int fd, const char *body, size_t length) {
    char head[160], date[40];
    const time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    const int used = snprintf(head, sizeof head,
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nDate: %s\r\nContent-Length: %zu\r\n\r\n", date,
        length);
    return send_all(fd, head, (size_t)used) && send_all(fd, body, length);
}

static int64_t number_behind(const char *body, const char *key) {
    const char *at = strstr(body, key);
    return at ? strtoll(at + strlen(key), NULL, 10) : 0;
}

/* What stands behind `Id` in every result: the same times for all. */
static size_t tail_make(
    char *tail, const char *label, int64_t start_s, int64_t end_s, int64_t step_s, const char *value) {
    size_t used =
        (size_t)snprintf(tail, RESULT_MAX, "\",\"StatusCode\":\"Complete\",\"Label\":\"%s\",\"Timestamps\":[", label);
    for (int64_t at = start_s; at < end_s && used < RESULT_MAX - 64; at += step_s)
        used += (size_t)snprintf(tail + used, RESULT_MAX - used, "%s%" PRId64, at > start_s ? "," : "", at);
    used += (size_t)snprintf(tail + used, RESULT_MAX - used, "],\"Values\":[");
    for (int64_t at = start_s; at < end_s && used < RESULT_MAX - 64; at += step_s)
        used += (size_t)snprintf(tail + used, RESULT_MAX - used, "%s%s", at > start_s ? "," : "", value);
    return used + (size_t)snprintf(tail + used, RESULT_MAX - used, "]}");
}

/* A query's series: its newest periods only, as thousands of hosts that have just begun to say something. */
static bool answer_query(int fd, const char *body, const char *shard, char *out) {
    const int64_t first = strtoll(shard, NULL, 10) * series_a_shard, now = (int64_t)time(NULL),
                  end_s = now - now % ROUND;
    const char *id = strstr(body, "\"Id\":\"") + strlen("\"Id\":\"");
    pthread_mutex_lock(&seen.lock);
    const char *value = seen.is_storm ? "100.0" : "1.0";
    pthread_mutex_unlock(&seen.lock);
    size_t used = (size_t)sprintf(out, "{\"Messages\":[],\"MetricDataResults\":[");
    for (int64_t i = 0; i < series_a_shard && used < ANSWER_MAX - RESULT_MAX; i++) {
        char label[40];
        snprintf(label, sizeof label, "i-%07" PRId64, first + i);
        used += (size_t)sprintf(out + used, "%s{\"Id\":\"%.*s", i ? "," : "", (int)strcspn(id, "\""), id);
        used += tail_make(out + used, label, end_s - (int64_t)FRESH * ROUND, end_s, ROUND, value);
    }
    used += (size_t)sprintf(out + used, "]}");
    pthread_mutex_lock(&seen.lock);
    seen.calls++;
    seen.metrics += (uint64_t)series_a_shard;
    seen.answered_bytes += used;
    pthread_mutex_unlock(&seen.lock);
    return answer(fd, out, used);
}

static bool answer_metrics(int fd, const char *body, char *out) {
    char tail[RESULT_MAX], hot_tail[RESULT_MAX];
    const int64_t start_s = number_behind(body, "\"StartTime\":"), step_s = number_behind(body, "\"Period\":"),
                  now = (int64_t)time(NULL);
    int64_t end_s = number_behind(body, "\"EndTime\":");
    if (end_s > now) end_s = now;
    const size_t tail_length = tail_make(tail, "M", start_s, end_s, step_s > 0 ? step_s : ROUND, "1.0");
    const size_t hot_length = tail_make(hot_tail, "M", start_s, end_s, step_s > 0 ? step_s : ROUND, "100.0");
    const char *hot = strstr(body, "\"Value\":\"hot\"");
    pthread_mutex_lock(&seen.lock);
    const bool is_hot = hot && seen.is_hot, is_storm = seen.is_storm;
    pthread_mutex_unlock(&seen.lock);
    size_t used = (size_t)sprintf(out, "{\"Messages\":[],\"MetricDataResults\":["), count = 0;
    for (const char *at = body; (at = strstr(at, "\"Id\":\""));) {
        at += strlen("\"Id\":\"");
        const char *next = strstr(at, "\"Id\":\"");
        const bool is_it = is_storm || (is_hot && hot > at && (!next || hot < next));
        const size_t id = strcspn(at, "\""), length = is_it ? hot_length : tail_length;
        if (used + id + length + 64 > ANSWER_MAX) break;
        used += (size_t)sprintf(out + used, "%s{\"Id\":\"%.*s", count++ ? "," : "", (int)id, at);
        memcpy(out + used, is_it ? hot_tail : tail, length);
        used += length;
    }
    used += (size_t)sprintf(out + used, "]}");
    pthread_mutex_lock(&seen.lock);
    seen.calls++;
    seen.metrics += count;
    seen.datapoints += count * (uint64_t)((end_s - start_s) / (step_s > 0 ? step_s : ROUND));
    seen.answered_bytes += used;
    if (is_hot && seen.hot_answered == 0) seen.hot_answered = now_s();
    pthread_mutex_unlock(&seen.lock);
    return answer(fd, out, used);
}

static bool answer_any(int fd, const char *body, char *out) {
    const char *shard = series_a_shard ? strstr(body, "shard = ") : NULL;
    return shard ? answer_query(fd, body, shard + strlen("shard = "), out) : answer_metrics(fd, body, out);
}

static bool answer_hook(int fd, const char *body) {
    pthread_mutex_lock(&seen.lock);
    seen.hooks++;
    if (seen.hooks_file) {
        fprintf(seen.hooks_file, "%.3f %s\n", now_s(), body);
        fflush(seen.hooks_file);
    }
    if (seen.hot_answered != 0 && seen.hook_after == 0) seen.hook_after = now_s() - seen.hot_answered;
    pthread_mutex_unlock(&seen.lock);
    return answer(fd, "ok", 2);
}

static bool answer_stats(int fd, bool make_hot, bool make_storm) {
    char text[512];
    pthread_mutex_lock(&seen.lock);
    seen.is_hot = seen.is_hot || make_hot;
    seen.is_storm = seen.is_storm || make_storm;
    const int used = snprintf(text, sizeof text,
        "{\"calls\":%" PRIu64 ",\"metrics\":%" PRIu64 ",\"datapoints\":%" PRIu64 ",\"bytes\":%" PRIu64
        ",\"hooks\":%" PRIu64 ",\"answer_to_notification_s\":%.6f}",
        seen.calls, seen.metrics, seen.datapoints, seen.answered_bytes, seen.hooks, seen.hook_after);
    pthread_mutex_unlock(&seen.lock);
    return answer(fd, text, (size_t)used);
}

/* Reads until the empty line; the bytes behind it that came along stay in `head`. -1: closed, or too long. */
static ssize_t read_head(int fd, char *head, size_t *ret_used) {
    size_t used = 0;
    while (used < HEAD_MAX - 1) {
        const ssize_t got = recv(fd, head + used, HEAD_MAX - 1 - used, 0);
        if (got <= 0) return -1;
        used += (size_t)got;
        head[used] = '\0';
        const char *end = strstr(head, "\r\n\r\n");
        *ret_used = used;
        if (end) return end + 4 - head;
    }
    return -1;
}

static bool read_body(int fd, const char *head, size_t head_length, size_t used, char *body) {
    const char *length_at = strcasestr(head, "\r\nContent-Length:");
    const size_t length = length_at ? strtoul(length_at + 17, NULL, 10) : 0;
    size_t have = used - head_length;
    if (length >= BODY_MAX) return false;
    if (have > length) have = length;
    memcpy(body, head + head_length, have);
    if (strcasestr(head, "\r\nExpect: 100")) send_all(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    while (have < length) {
        const ssize_t got = recv(fd, body + have, length - have, 0);
        if (got <= 0) return false;
        have += (size_t)got;
    }
    body[length] = '\0';
    return true;
}

static void *serve(void *arg) {
    const int fd = (int)(intptr_t)arg;
    char *head = malloc(HEAD_MAX), *body = malloc(BODY_MAX), *out = malloc(ANSWER_MAX);
    size_t used;
    for (ssize_t length; head && body && out && (length = read_head(fd, head, &used)) > 0;) {
        if (!read_body(fd, head, (size_t)length, used, body)) break;
        const char *path = strchr(head, ' ');
        bool fine;
        if (path && !strncmp(path, " /hook", 6))
            fine = answer_hook(fd, body);
        else if (path && (!strncmp(path, " /stats", 7) || !strncmp(path, " /hot", 5) || !strncmp(path, " /storm", 7)))
            fine = answer_stats(fd, !strncmp(path, " /hot", 5), !strncmp(path, " /storm", 7));
        else
            fine = answer_any(fd, body, out);
        if (!fine) break;
    }
    close(fd);
    free(head);
    free(body);
    free(out);
    return NULL;
}

static void *accept_all(void *arg) {
    const int listener = (int)(intptr_t)arg, yes = 1;
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;) {
        pthread_t thread;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd))
            close(fd);
        else
            pthread_detach(thread);
    }
    return NULL;
}

int main(int argc, char **argv) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof here;
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pthread_t thread;
    if (argc > 1) series_a_shard = strtoll(argv[1], NULL, 10);
    if (argc > 2 && !(seen.hooks_file = fopen(argv[2], "a"))) return perror(argv[2]), 1;
    if (listener < 0 || bind(listener, (struct sockaddr *)&here, length) || listen(listener, 64) ||
        getsockname(listener, (struct sockaddr *)&here, &length) ||
        pthread_create(&thread, NULL, accept_all, (void *)(intptr_t)listener))
        return perror("metric_responder"), 1;
    printf("%u\n", ntohs(here.sin_port));
    fflush(stdout);
    while (getchar() != EOF) {}
    return 0;
}
