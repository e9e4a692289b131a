/* A notification as the HTML part of a mail, made for a phone: a coloured banner with the state, one block an alert,
 * big enough links. Tables and inline styles, since mail programs know little else; no picture, nothing fetched. Pure;
 * every value is escaped, links are http or https. */
#ifndef TOCSIN_EMAIL_HTML_H
#define TOCSIN_EMAIL_HTML_H

#include "base/buffer.h"
#include "kit/notice.h"

void html_write(const Notice *notice, size_t alerts, Buffer *out); /* at most `alerts` of them in full */

#endif
