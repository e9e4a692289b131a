/* What a server's certificate is for, for a person who was told that it is for somebody else. Inside daemon/net only;
 * loop thread. */
#ifndef TOCSIN_NET_CERTIFICATE_H
#define TOCSIN_NET_CERTIFICATE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

/* The names and addresses of the certificate that came on this handle (with CURLOPT_CERTINFO), at most `room` bytes
 * with the zero byte; where it has none, its subject. False: none came. */
bool certificate_names(CURL *easy, char *ret_text, size_t room);

#endif
