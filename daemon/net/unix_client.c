#include "net/unix_client.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/own.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

typedef CURL Easy;
static Easy *easy_free(Easy *easy) {
    curl_easy_cleanup(easy);
    return NULL;
}
OWN_DEFINE(Easy, easy)

/* Where an answer's bytes go: a stream's good ones to `chunk`, all others to `body`. */
typedef struct Sink {
    Easy *easy;
    Buffer body;
    UnixChunk *chunk;
    void *ctx;
    bool ended; /* `chunk` wanted no more */
} Sink;

static size_t on_bytes(char *bytes, size_t size, size_t count, void *ctx) {
    Sink *sink = ctx;
    const size_t length = size * count;
    long status = 0;
    curl_easy_getinfo(sink->easy, CURLINFO_RESPONSE_CODE, &status);
    if (!sink->chunk || status != 200) return buffer_add(&sink->body, bytes, length) ? length : 0;
    if (sink->chunk(sink->ctx, bytes, length)) return length;
    sink->ended = true;
    return 0;
}

static Easy *prepare(const char *socket, const char *path, Sink *sink, Error *err) {
    struct sockaddr_un room;
    if (!*socket || strlen(socket) >= sizeof room.sun_path)
        return error_set(err, ERROR_INPUT, "`%.200s` cannot be a socket's path: 1 to %zu bytes", socket,
                   sizeof room.sun_path - 1),
               NULL;
    OWN(easy) Easy *easy = curl_easy_init();
    if (!easy) return error_set(err, ERROR_LOCAL, "no memory for a request"), NULL;
    OWN(text) char *url = text_format("http://tocsin%s", path);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, socket);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* a proxy of the environment has no business here */
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L); /* an alarm may be called `..` */
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)UNIX_CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, sink);
    sink->easy = easy;
    return GIVE(easy);
}

static bool explain(CURLcode code, const char *socket, Error *err) {
    if (code == CURLE_COULDNT_CONNECT)
        return error_set(
            err, ERROR_REMOTE, "nothing answers at %.200s (is tocsind running, and may you open its socket?)", socket);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return error_set(err, ERROR_REMOTE, "the daemon at %.200s did not answer in time", socket);
    if (code == CURLE_WRITE_ERROR)
        return error_set(err, ERROR_REMOTE, "the answer from %.200s is longer than %zu bytes", socket, UNIX_ANSWER_MAX);
    if (code == CURLE_PARTIAL_FILE || code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR)
        return error_set(err, ERROR_REMOTE, "the daemon at %.200s hung up (was it stopped?)", socket);
    return error_set(err, ERROR_REMOTE, "%.200s: %s", socket, curl_easy_strerror(code));
}

static void hand_over(Sink *sink, UnixAnswer *ret_answer) {
    curl_easy_getinfo(sink->easy, CURLINFO_RESPONSE_CODE, &ret_answer->status);
    ret_answer->length = sink->body.used;
    ret_answer->body = buffer_take(&sink->body);
}

bool unix_call(const char *socket, const char *method, const char *path, const char *body, int64_t timeout_ms,
    UnixAnswer *ret_answer, Error *err) {
    Sink sink = {.body = BUFFER(UNIX_ANSWER_MAX)};
    OWN(easy) Easy *easy = prepare(socket, path, &sink, err);
    if (!easy) return false;
    struct curl_slist *headers = body ? curl_slist_append(NULL, "Content-Type: application/json") : NULL;
    if (strcmp(method, "GET")) curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body ? body : ""); /* of its length: 0 too */
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    const CURLcode code = curl_easy_perform(easy);
    if (code == CURLE_OK) hand_over(&sink, ret_answer);
    buffer_deinit(&sink.body);
    curl_slist_free_all(headers);
    return code == CURLE_OK || explain(code, socket, err);
}

bool unix_stream(
    const char *socket, const char *path, UnixChunk *chunk, void *ctx, UnixAnswer *ret_answer, Error *err) {
    Sink sink = {.body = BUFFER(UNIX_ANSWER_MAX), .chunk = chunk, .ctx = ctx};
    OWN(easy) Easy *easy = prepare(socket, path, &sink, err);
    if (!easy) return false;
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)UNIX_SILENCE_S);
    const CURLcode code = curl_easy_perform(easy);
    const bool good = code == CURLE_OK || sink.ended;
    if (good) curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &ret_answer->status);
    if (good && ret_answer->status != 200) hand_over(&sink, ret_answer);
    buffer_deinit(&sink.body);
    return good || explain(code, socket, err);
}
