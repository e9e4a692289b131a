#include "net/certificate.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define NAMES "X509v3 Subject Alternative Name:"
#define SUBJECT "Subject:"

static const char *line_of(const struct curl_slist *lines, const char *name) {
    for (; lines; lines = lines->next)
        if (strncmp(lines->data, name, strlen(name)) == 0) return lines->data + strlen(name);
    return NULL;
}

bool certificate_names(CURL *easy, char *ret_text, size_t room) {
    struct curl_certinfo *info = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &info) || !info || info->num_of_certs < 1) return false;
    const char *names = line_of(info->certinfo[0], NAMES); /* the first is the server's own */
    if (!names) names = line_of(info->certinfo[0], SUBJECT);
    if (!names) return false;
    snprintf(ret_text, room, "%.*s", (int)utf8_cut(names, strlen(names), room - 1), names);
    return true;
}
