/* Lines of a mail: whatever text goes in, what comes out is ASCII, ends its lines in CR LF, holds no other CR or LF,
 * and no line of over 998 bytes. Pure. RFC 5322 (2.2.3 folding), RFC 2047 (encoded words), RFC 2045 (6.7
 * quoted-printable). */
#ifndef TOCSIN_EMAIL_MIME_H
#define TOCSIN_EMAIL_MIME_H

#include "base/buffer.h"

/* `Name: text`: folded where it is plain ASCII, in encoded words where it is not. `name` must be a token. */
void mime_header(Buffer *out, const char *name, const char *text);
/* One word or phrase inside a header: an address's display name. */
void mime_phrase(Buffer *out, const char *text);
/* A part's body in quoted-printable; lines of `text` end in LF. */
void mime_quoted(Buffer *out, const char *text);

#endif
