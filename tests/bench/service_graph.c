/* What an X-Ray service graph of 2,000 nodes and 10,000 edges costs: its pages decoded and joined, twenty alarms
 * evaluated over it with their causes, and the window remembered. Prints CPU time of each and the resident size. */
#include "base/alloc.h"
#include "base/buffer.h"
#include "sources/plan.h"
#include "sources/xray.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { NODES = 2000, EDGES_A_NODE = 5, NODES_A_PAGE = 100, PAGES = NODES / NODES_A_PAGE, BUCKETS = 25, ALARMS = 20 };
enum { WINDOWS = 20, RANGE = 7, FIRST_END_S = 1767322800 };

static double cpu_ms(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
        (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
}

static long resident_kib(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_maxrss;
}

static void add_figures(Buffer *out, unsigned seed) {
    buffer_format(out,
        "\"SummaryStatistics\":{\"OkCount\":%u,\"ErrorStatistics\":{\"ThrottleCount\":0,\"OtherCount\":1,"
        "\"TotalCount\":1},"
        "\"FaultStatistics\":{\"OtherCount\":%u,\"TotalCount\":%u},\"TotalCount\":250,\"TotalResponseTime\":12.5},"
        "\"ResponseTimeHistogram\":[",
        249 - seed % 40, seed % 40, seed % 40);
    for (unsigned i = 0; i < BUCKETS; i++)
        buffer_format(
            out, "%s{\"Value\":%u.%03u,\"Count\":10}", i ? "," : "", (seed + i * 7) % 3, (seed * 31 + i * 97) % 1000);
    buffer_text(out, "]");
}

/* Each node calls the next few of a scattered order: long paths, some cycles, edges across pages. */
static char *page_text(unsigned page, size_t *ret_length) {
    Buffer out = BUFFER(8 << 20);
    buffer_text(&out, "{\"Services\":[");
    for (unsigned n = page * NODES_A_PAGE; n < (page + 1) * NODES_A_PAGE; n++) {
        buffer_format(&out,
            "%s{\"ReferenceId\":%u,\"Name\":\"service-%04u.example.org\",\"Type\":\"AWS::Lambda::Function\",",
            n % NODES_A_PAGE ? "," : "", n, n);
        add_figures(&out, n);
        buffer_text(&out, ",\"Edges\":[");
        for (unsigned e = 0; e < EDGES_A_NODE; e++) {
            buffer_format(&out, "%s{\"ReferenceId\":%u,", e ? "," : "", (n + 1 + e * 397) % NODES);
            add_figures(&out, n + e);
            buffer_text(&out, "}");
        }
        buffer_text(&out, "]}");
    }
    buffer_format(&out, "],\"NextToken\":\"%u\"}", page);
    *ret_length = out.used;
    return buffer_take(&out);
}

static ServiceGraph *decode(char *const *pages, const size_t *lengths) {
    GraphPages *all = graph_pages_new();
    for (size_t i = 0; i < PAGES; i++) {
        Error err = {0};
        const char *token;
        if (graph_pages_add(all, pages[i], lengths[i], &token, &err)) continue;
        fprintf(stderr, "page %zu: %s\n", i, err.text);
        exit(1);
    }
    return service_graph_new(all, "default", "eu-west-1", NULL, FIRST_END_S - 60, FIRST_END_S);
}

/* Half of the alarms watch all services, half the calls of a twentieth of them; those on rates of faults breach at most
 * nodes. */
static Plan *plan_of(GraphSelector *selectors, ThresholdRule *rules) {
    static const char *const statistics[] = {
        "fault_rate", "p99", "error_rate", "average_response_time", "request_count"};
    Watch watches[ALARMS];
    for (size_t i = 0; i < ALARMS; i++) {
        selectors[i] =
            (GraphSelector){.service = i % 2 ? "service-00*" : "*", .edge_to = i % 2 ? "*" : NULL, .period_s = 60};
        selectors[i].statistic = statistics[i % 5];
        xray_statistic_parse(selectors[i].statistic, &selectors[i].parsed);
        rules[i] = (ThresholdRule){.comparison = COMPARE_GT,
            .threshold = i % 5 == 0 ? 12 : 1e6,
            .n = 1,
            .m = 1,
            .range = RANGE,
            .period_s = 60};
        watches[i] = (Watch){.index = i,
            .source = &service_graph_source,
            .alarm = "a",
            .selector = &selectors[i],
            .account = "default",
            .region = "eu-west-1",
            .rule = &rules[i]};
    }
    return graph_plan(NULL, watches, ALARMS);
}

int main(void) {
    char *pages[PAGES];
    size_t lengths[PAGES], bytes = 0;
    GraphSelector selectors[ALARMS];
    ThresholdRule rules[ALARMS];
    for (unsigned i = 0; i < PAGES; i++) bytes += (pages[i] = page_text(i, &lengths[i]), lengths[i]);
    Plan *plan = plan_of(selectors, rules);
    const GraphBatch *batch = plan_poll(plan, 0)->batch;
    double decoding = 0, tallying = 0, remembering = 0;
    size_t nodes = 0, edges = 0, series = 0, causes = 0;
    const long before_kib = resident_kib();
    for (int w = 0; w < WINDOWS; w++) {
        const double start = cpu_ms();
        ServiceGraph *graph = decode(pages, lengths);
        const double decoded = cpu_ms();
        GraphTally *tally = graph_tally(batch->query, graph, true);
        const double tallied = cpu_ms();
        const int64_t end_s = FIRST_END_S + w * 60;
        graph_memory_take(batch->memory, end_s, end_s + XRAY_SETTLE_S, tally);
        PollOutcome *outcome = poll_outcome_new(graph_memory_series(batch->memory));
        graph_memory_observe(batch->memory, end_s, outcome);
        poll_outcome_free(outcome);
        remembering += cpu_ms() - tallied;
        decoding += decoded - start;
        tallying += tallied - decoded;
        nodes = service_graph_node_count(graph);
        edges = service_graph_edge_count(graph);
        series = tally->count;
        causes = 0;
        for (size_t i = 0; i < tally->count; i++) causes += tally->series[i].path != NULL;
        graph_tally_free(tally);
        service_graph_free(graph);
    }
    printf("%zu nodes, %zu edges in %zu KiB; %d alarms on %zu series, %zu causes; a window, mean of %d:\n", nodes,
        edges, bytes / 1024, ALARMS, series, causes, WINDOWS);
    printf("  decode and join    %7.1f ms CPU (pool)\n", decoding / WINDOWS);
    printf("  evaluate, causes   %7.1f ms CPU (pool)\n", tallying / WINDOWS);
    printf("  remember, hand on  %7.1f ms CPU (loop)\n", remembering / WINDOWS);
    printf("  resident at most   %7ld KiB, %ld before\n", resident_kib(), before_kib);
    plan_free(plan);
    for (size_t i = 0; i < PAGES; i++) free(pages[i]);
    return 0;
}
