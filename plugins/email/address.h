/* Mail addresses as people write them: `oncall@example.org` or `On call <oncall@example.org>`. Pure. What passes here
 * can go into a header and an envelope: ASCII, without blanks, brackets and control characters. */
#ifndef TOCSIN_EMAIL_ADDRESS_H
#define TOCSIN_EMAIL_ADDRESS_H

#include <stdbool.h>

enum { ADDRESS_MAX = 254, ADDRESS_LOCAL_MAX = 64, ADDRESS_NAME_MAX = 200 };

typedef struct Address {
    char *name; /* for people; "" for none */
    char *address; /* bare */
} Address;

/* False: not an address; `ret` stays as it was. */
bool address_parse(const char *text, Address *ret);
void address_deinit(Address *address);

/* `smtp.example.org:587`, `[2001:db8::1]:25`. False: no host, or no port. Caller frees the host. */
bool smarthost_parse(const char *text, char **ret_host, int *ret_port);

#endif
