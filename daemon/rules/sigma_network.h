/* Sigma's `cidr`: a block of IPv4 or IPv6 addresses. Pure. */
#ifndef TOCSIN_RULES_SIGMA_NETWORK_H
#define TOCSIN_RULES_SIGMA_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct SigmaNetwork {
    uint8_t address[16]; /* IPv4 in the first four */
    uint8_t bytes; /* 4 or 16 */
    uint8_t prefix; /* bits */
} SigmaNetwork;

/* `10.0.0.0/8`, `fc00::/7`, or an address alone. Bits behind the prefix do not count. */
bool network_parse(const char *text, SigmaNetwork *ret_network);
/* Is the text an address inside? What is no address is in no network; an IPv4-mapped IPv6 address counts as IPv4. */
bool network_holds(const SigmaNetwork *network, const char *text, size_t length);

#endif
