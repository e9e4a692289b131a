#include "engine/process.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

static const Metric start_metric = {"process_start_time_seconds", "When the process started.", METRIC_GAUGE, {NULL}};
static const Metric cpu_metric = {"process_cpu_seconds_total", "User and system time.", METRIC_COUNTER, {NULL}};
static const Metric resident_metric = {"process_resident_memory_bytes", "Resident memory.", METRIC_GAUGE, {NULL}};
static const Metric virtual_metric = {"process_virtual_memory_bytes", "Address space.", METRIC_GAUGE, {NULL}};
static const Metric open_metric = {"process_open_fds", "Open file descriptors.", METRIC_GAUGE, {NULL}};
static const Metric most_metric = {"process_max_fds", "How many may be open.", METRIC_GAUGE, {NULL}};

static void refresh_time(Metrics *metrics) {
    uv_rusage_t usage;
    if (uv_getrusage(&usage)) return;
    const double seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
        (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    metric_set(metrics, &cpu_metric, seconds, NULL);
}

static void refresh_memory(Metrics *metrics) {
    unsigned long long all = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file) return;
    const int found = fscanf(file, "%llu %llu", &all, &resident);
    fclose(file);
    if (found != 2) return;
    const double page_bytes = (double)sysconf(_SC_PAGESIZE);
    metric_set(metrics, &virtual_metric, (double)all * page_bytes, NULL);
    metric_set(metrics, &resident_metric, (double)resident * page_bytes, NULL);
}

static void refresh_descriptors(Metrics *metrics) {
    struct rlimit limit;
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (!getrlimit(RLIMIT_NOFILE, &limit)) metric_set(metrics, &most_metric, (double)limit.rlim_cur, NULL);
    if (!folder) return;
    for (const struct dirent *entry; (entry = readdir(folder));) count += entry->d_name[0] != '.';
    closedir(folder);
    metric_set(metrics, &open_metric, (double)(count - 1), NULL); /* without the one that counts */
}

void process_refresh_metrics(Metrics *metrics, int64_t started_ms) {
    metric_set(metrics, &start_metric, (double)started_ms / 1000, NULL);
    refresh_time(metrics);
    refresh_memory(metrics);
    refresh_descriptors(metrics);
}
