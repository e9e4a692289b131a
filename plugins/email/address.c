#include "email/address.h"

#include "base/alloc.h"
#include "base/own.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static bool is_local_byte(char byte) { return byte > ' ' && byte < 0x7f && !strchr("()<>[]:;@\\,\"", byte); }

static bool is_domain(const char *text, size_t length) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    if (length == 0 || text[0] == '.' || text[0] == '-' || text[length - 1] == '.' || text[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!strchr(allowed, text[i]) || (text[i] == '.' && text[i + 1] == '.')) return false;
    return true;
}

static bool is_address(const char *text, size_t length) {
    const char *at = memchr(text, '@', length);
    if (!at || length > ADDRESS_MAX) return false;
    const size_t local = (size_t)(at - text);
    if (local == 0 || local > ADDRESS_LOCAL_MAX) return false;
    for (size_t i = 0; i < local; i++)
        if (!is_local_byte(text[i])) return false;
    return is_domain(at + 1, length - local - 1);
}

/* The name before the bracket: without blanks around and without the quotes that it may stand in. */
static char *name_of(const char *text, size_t length) {
    while (length > 0 && *text == ' ') text++, length--;
    while (length > 0 && text[length - 1] == ' ') length--;
    if (length >= 2 && text[0] == '"' && text[length - 1] == '"') text++, length -= 2;
    return text_copy_length(text, length);
}

bool address_parse(const char *text, Address *ret) {
    if (has_control(text) || !utf8_ok(text, strlen(text))) return false;
    const char *open = strrchr(text, '<');
    const char *bare = open ? open + 1 : text;
    const size_t length = open ? strcspn(bare, ">") : strlen(bare);
    if (open && strcmp(bare + length, ">") != 0) return false;
    if (!is_address(bare, length)) return false;
    OWN(text) char *name = name_of(text, open ? (size_t)(open - text) : 0);
    if (strlen(name) > ADDRESS_NAME_MAX || strpbrk(name, "<>\"\\")) return false;
    ret->name = GIVE(name);
    ret->address = text_copy_length(bare, length);
    return true;
}

void address_deinit(Address *address) {
    free(address->name);
    free(address->address);
    *address = (Address){0};
}

bool smarthost_parse(const char *text, char **ret_host, int *ret_port) {
    const char *colon = strrchr(text, ':');
    const bool is_literal = *text == '[';
    if (!colon || colon == text || has_control(text) || strlen(text) > ADDRESS_MAX) return false;
    const char *host = text + is_literal;
    const size_t length = (size_t)(colon - host) - is_literal;
    const size_t digits = strspn(colon + 1, "0123456789");
    if (digits == 0 || digits > 5 || colon[1 + digits]) return false;
    const long port = strtol(colon + 1, NULL, 10);
    if (port < 1 || port > 65535) return false;
    if (is_literal && (colon[-1] != ']' || length == 0 || strspn(host, "0123456789abcdefABCDEF:.") != length))
        return false;
    if (!is_literal && !is_domain(host, length)) return false;
    *ret_host = text_copy_length(host, length);
    *ret_port = (int)port;
    return true;
}
