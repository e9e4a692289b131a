/* XML answers (query protocol), by expat: flat, by local names. In memory that is wiped: STS answers hold keys. Depth
 * is bounded, a DOCTYPE is refused, so no entity expands. Any thread. */
#ifndef TOCSIN_AWS_XML_H
#define TOCSIN_AWS_XML_H

#include "base/error.h"
#include "base/own.h"

#include <stddef.h>

enum { XML_DEPTH = 64, XML_ELEMENTS = 20000, XML_NAME_MAX = 128, XML_BYTES_MAX = 1 << 20 };

typedef struct Xml Xml;

/* NULL: ERROR_INPUT, not well-formed, cut short, or past a bound. Caller frees. */
Xml *xml_read(const char *text, size_t length, Error *err);
Xml *xml_free(Xml *xml);
OWN_DEFINE(Xml, xml)
/* The text of the first element whose path ends in `path` (`Error/Code`, whole names); NULL: none. Borrowed. */
const char *xml_text(const Xml *xml, const char *path);

#endif
