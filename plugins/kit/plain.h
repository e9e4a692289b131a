/* A notification as plain text, for a mail's first part and for SNS. Pure. */
#ifndef TOCSIN_KIT_PLAIN_H
#define TOCSIN_KIT_PLAIN_H

#include "base/buffer.h"
#include "kit/notice.h"

/* At most `alerts` of its alerts in full; lines end in LF, without other control characters. */
void plain_write(const Notice *notice, size_t alerts, Buffer *out);
/* One alert in full but for its links. */
void plain_alert(const NoticeAlert *alert, Buffer *out);
/* One alert in one line: its summary, or what there is. Caller frees. */
char *plain_line(const NoticeAlert *alert);

#endif
