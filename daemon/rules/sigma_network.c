#include "rules/sigma_network.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { NETWORK_TEXT_MAX = 64 };

static bool address_parse(const char *text, SigmaNetwork *ret) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (inet_pton(AF_INET, text, ret->address) == 1) return ret->bytes = 4, true;
    if (inet_pton(AF_INET6, text, ret->address) != 1) return false;
    ret->bytes = 16;
    if (memcmp(ret->address, mapped, sizeof mapped)) return true;
    memmove(ret->address, ret->address + sizeof mapped, 4);
    ret->bytes = 4;
    return true;
}

bool network_parse(const char *text, SigmaNetwork *ret_network) {
    char address[NETWORK_TEXT_MAX];
    SigmaNetwork network = {0};
    const size_t length = strcspn(text, "/");
    if (length >= sizeof address) return false;
    memcpy(address, text, length);
    address[length] = '\0';
    if (!address_parse(address, &network)) return false;
    const bool was_mapped = network.bytes == 4 && strchr(address, ':');
    unsigned long prefix = network.bytes * 8UL;
    if (text[length]) {
        const char *digits = text + length + 1;
        if (!*digits || strlen(digits) > 3 || digits[strspn(digits, "0123456789")]) return false;
        prefix = strtoul(digits, NULL, 10);
        if (was_mapped && prefix < 96) return false;
        if (was_mapped) prefix -= 96;
    }
    if (prefix > network.bytes * 8UL) return false;
    network.prefix = (uint8_t)prefix;
    *ret_network = network;
    return true;
}

bool network_holds(const SigmaNetwork *network, const char *text, size_t length) {
    char copy[NETWORK_TEXT_MAX];
    SigmaNetwork other = {0};
    if (length >= sizeof copy || memchr(text, '\0', length)) return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (!address_parse(copy, &other) || other.bytes != network->bytes) return false;
    const size_t whole = network->prefix / 8, rest = network->prefix % 8;
    if (memcmp(network->address, other.address, whole)) return false;
    return !rest || ((network->address[whole] ^ other.address[whole]) >> (8 - rest)) == 0;
}
