/* A request of the control socket: `METHOD TARGET` on the first line, the Host on the second, the body behind it; the
 * first byte says who calls. Holds: every call is answered exactly once, a status from 200 to 599, a body that is JSON
 * where it says so, and only a POST or DELETE by who may changes anything. */
#include "fuzz.h"

#include "../unit/control/fake_engine.h"

#include "base/alloc.h"
#include "base/log.h"
#include "control/routes.h"

#include <stdlib.h>
#include <string.h>

static bool changes(const char *method) { return !strcmp(method, "POST") || !strcmp(method, "DELETE"); }

static void check(const FakeReply *got, const Engine *engine, const Caller *caller, const char *method) {
    if (got->count != 1 || got->reply.status < 200 || got->reply.status > 599) abort();
    if (!got->reply.stream && !got->json && !strcmp(got->reply.content_type, "application/json")) abort();
    if (*engine->asked && (!caller->may_change || caller->remote || !changes(method))) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    log_setup(LOG_TEXT, LOG_ERROR); /* not a line a change */
    OWN(text) char *method = text_copy_length((const char *)data + 1, size - 1);
    char *host = strchr(method, '\n');
    if (host) *host++ = 0;
    char *body = host ? strchr(host, '\n') : NULL;
    if (body) *body++ = 0;
    char *target = strchr(method, ' ');
    if (target) *target++ = 0;
    const Caller caller = {.may_change = data[0] & 1,
        .remote = data[0] & 2,
        .host = host,
        .uid = 1000,
        .body = body,
        .body_length = body ? strlen(body) : 0};
    Engine engine;
    FakeReply got = {0};
    fake_engine_init(&engine, NULL);
    engine.store_fails = data[0] & 4;
    engine.reload_fails = data[0] & 8;
    routes_dispatch(&engine, &caller, method, target ? target : "", answer_new(fake_reply_sent, &got));
    check(&got, &engine, &caller, method);
    fake_reply_deinit(&got);
    fake_engine_deinit(&engine);
    return 0;
}
