#include "control/routes.h"

#include "base/alloc.h"
#include "control/calls.h"

#include <stdlib.h>
#include <string.h>

typedef struct CallRow {
    const char *method, *path; /* a `*` in the path stands for one part */
    CallRun *run; /* NULL: belongs to a later version */
    const char *const *parameters;
    bool local; /* never over `listen` */
} CallRow;

#define PARAMETERS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})
#define ALERT_PARAMETERS PARAMETERS("filter", "receiver", "active", "silenced", "inhibited", "unprocessed")

static const CallRow routes[] = {
    {"GET", "/v1/status", call_status, PARAMETERS(), false},
    {"GET", "/v1/alarms", call_alarms, PARAMETERS("state", "name", "fingerprint", "limit", "after"), false},
    {"GET", "/v1/alarms/*", call_alarm, PARAMETERS("limit", "after"), false},
    {"GET", "/v1/history", call_history, PARAMETERS("name", "fingerprint", "since", "until", "limit", "after"), false},
    {"GET", "/v1/sources", call_sources, PARAMETERS("limit", "after"), false},
    {"GET", "/v1/notifications", call_notifications, PARAMETERS("state", "limit", "after"), true},
    {"POST", "/v1/notifications/*/retry", call_retry, PARAMETERS(), true},
    {"POST", "/v1/notifications/*/discard", call_discard, PARAMETERS(), true},
    {"GET", "/v1/routes", call_routes, PARAMETERS("label", "at"), false},
    {"GET", "/v1/silences", call_silences, PARAMETERS("limit", "after"), false},
    {"POST", "/v1/silences", call_silence_post, PARAMETERS(), true},
    {"DELETE", "/v1/silences/*", call_silence_expire, PARAMETERS(), true},
    {"POST", "/v1/alarms/*/acknowledge", call_acknowledge, PARAMETERS(), true},
    {"DELETE", "/v1/alarms/*/acknowledge", call_unacknowledge, PARAMETERS(), true},
    {"POST", "/v1/reload", call_reload, PARAMETERS(), true},
    {"POST", "/v1/receivers/*/test", call_test, PARAMETERS(), true},
    {"GET", "/v1/service-graph", call_service_graph, PARAMETERS("account", "region", "group"), false},
    {"GET", "/v1/cloudtrail/events", call_cloudtrail_events, PARAMETERS("since", "rule", "limit"), false},
    {"GET", "/v1/events", call_events, PARAMETERS(), false},
    {"GET", "/metrics", call_metrics, NULL, false}, /* scrapers may add what they like */
    {"GET", "/healthz", call_health, NULL, false},
    {"GET", "/readyz", call_ready, NULL, false},
    {"GET", "/v1/explain/*", call_explain, PARAMETERS("at"), true}, /* it tells of notifications */
    {"GET", "/api/v2/status", call_am_status, PARAMETERS(), false},
    {"GET", "/api/v2/receivers", call_am_receivers, PARAMETERS(), false},
    {"GET", "/api/v2/alerts", call_am_alerts, ALERT_PARAMETERS, false},
    {"GET", "/api/v2/alerts/groups", call_am_groups, ALERT_PARAMETERS, false},
    {"GET", "/api/v2/silences", call_am_silences, PARAMETERS("filter"), false},
    {"GET", "/api/v2/silence/*", call_am_silence, PARAMETERS(), false},
};

/* Do the target's parts fit the pattern? What `*` stood for goes to `*ret_name`. */
static bool path_fits(const char *pattern, const Target *target, const char **ret_name) {
    const char *name = NULL;
    size_t at = 0;
    while (*pattern == '/') {
        const char *part = pattern + 1;
        const size_t length = strcspn(part, "/");
        if (at == target->segment_count) return false;
        const char *given = target->segments[at++];
        if (length == 1 && *part == '*') {
            if (!*given) return false;
            name = given;
        } else if (strlen(given) != length || memcmp(given, part, length)) {
            return false;
        }
        pattern = part + length;
    }
    if (at != target->segment_count) return false;
    *ret_name = name;
    return true;
}

/* The route, or NULL; then `allow` names the methods that the address does take, "" where there is no such address. */
static const CallRow *route_find(
    const char *method, const Target *target, const char **ret_name, char allow[static ALLOW_MAX]) {
    size_t used = 0;
    allow[0] = 0;
    for (size_t i = 0; i < COUNT_OF(routes); i++) {
        const char *name;
        if (!path_fits(routes[i].path, target, &name)) continue;
        if (!strcmp(routes[i].method, method)) return *ret_name = name, &routes[i];
        const size_t length = strlen(routes[i].method) + (used ? 2 : 0);
        if (used + length >= ALLOW_MAX) continue;
        stpcpy(stpcpy(allow + used, used ? ", " : ""), routes[i].method);
        used += length;
    }
    return NULL;
}

/* True: the caller may not, or the call is malformed, and was told so. */
static bool refused(const CallRow *route, const Caller *caller, const Target *target, Answer *answer) {
    const bool change = strcmp(route->method, "GET") != 0;
    if (caller->remote && (change || route->local))
        return answer_error(
                   answer, 403, "forbidden", "this address is read-only and tells no notifications: use the socket"),
               true;
    if (change && !caller->may_change)
        return answer_error(answer, 403, "forbidden",
                   "uid %lld may read only: changing something takes root, the daemon's own user, or a member of "
                   "control.admin_group",
                   (long long)caller->uid),
               true;
    if (!route->run)
        return answer_error(answer, 501, "not_implemented", "%s %s does not exist in this version of Tocsin",
                   route->method, route->path),
               true;
    const char *stranger = route->parameters ? target_stranger(target, route->parameters) : NULL;
    if (!stranger) return false;
    return answer_error(answer, 400, "bad_request", "%s knows no parameter `%.80s`", route->path, stranger), true;
}

void routes_dispatch(Engine *engine, const Caller *caller, const char *method, const char *text, Answer *take_answer) {
    Error err = {0};
    if (caller->remote && !(caller->host && host_is_literal(caller->host))) /* a web page may aim a name at us */
        return answer_error(take_answer, 403, "forbidden", "the Host must be an address or localhost");
    OWN(target) Target *target = target_parse(text, &err);
    if (!target) return answer_error(take_answer, 400, "bad_request", "%s", err.text);
    const char *name = NULL;
    char allow[ALLOW_MAX];
    const CallRow *route = route_find(!strcmp(method, "HEAD") ? "GET" : method, target, &name, allow);
    if (!route && *allow) return answer_wrong_method(take_answer, allow);
    if (!route) return answer_error(take_answer, 404, "not_found", "there is no such call");
    if (strcmp(route->method, "GET")) answer_audit(take_answer, caller->serial, caller->uid, caller->pid, method, text);
    if (refused(route, caller, target, take_answer)) return;
    route->run(&(Call){.engine = engine,
        .target = target,
        .name = name,
        .answer = take_answer,
        .body = caller->body,
        .body_length = caller->body_length,
        .uid = caller->uid});
}
