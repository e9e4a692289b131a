/* What `tocsinctl check` makes of the daemon's lists. Pure. */
#ifndef TOCSIN_CTL_CHECK_H
#define TOCSIN_CTL_CHECK_H

#include <jansson.h>
#include <stddef.h>

typedef enum { CHECK_OK, CHECK_WARNING, CHECK_CRITICAL, CHECK_UNKNOWN } CheckState; /* the exit status */

typedef struct CheckCounts {
    size_t firing[CHECK_UNKNOWN]; /* by what they mean; CHECK_OK: severity info, which is no trouble */
    size_t muted; /* silenced or acknowledged */
    size_t blind; /* sources */
} CheckCounts;

/* `STATE - text | 'label'=value...` of the alarms in ALARM and the sources, as the daemon lists them; caller frees. */
CheckState check_line(const json_t *alarms, const json_t *sources, char **ret_line);

#endif
