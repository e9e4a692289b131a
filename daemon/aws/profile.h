/* The shared config and credentials files of the AWS SDKs, as text and parsed: what stands in them, not what it means.
 * Their bytes live in memory that is wiped. Any thread; reading a file blocks. Source: AWS SDKs and Tools Reference
 * Guide, "Shared config and credentials files". */
#ifndef TOCSIN_AWS_PROFILE_H
#define TOCSIN_AWS_PROFILE_H

#include "base/error.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>

enum { PROFILE_FILE_MAX = 1 << 20, PROFILE_KEYS = 20000 };

typedef enum { PROFILE_CONFIG, PROFILE_CREDENTIALS } ProfileKind; /* [profile NAME], or bare [NAME] */
typedef enum { SECTION_PROFILE, SECTION_SSO_SESSION, SECTION_SERVICES, SECTION_OTHER } ProfileSection;

typedef struct Profiles Profiles;

/* Copies `text`. NULL: ERROR_INPUT naming `file` and the line. Of keys given twice the last counts. Caller frees. */
Profiles *profiles_parse(ProfileKind kind, const char *file, const char *text, size_t length, Error *err);
/* The same of a file; one that does not exist is empty. NULL also: ERROR_LOCAL, cannot be read; ERROR_INPUT, too long.
 */
Profiles *profiles_read(ProfileKind kind, const char *file, Error *err);
Profiles *profiles_free(Profiles *profiles);
OWN_DEFINE(Profiles, profiles)

bool profiles_has(const Profiles *profiles, ProfileSection section, const char *name);
/* NULL where absent; keys in lower case; `outer`: the key whose indented lines are meant, or NULL. Borrowed. */
const char *profiles_get(
    const Profiles *profiles, ProfileSection section, const char *name, const char *outer, const char *key);
/* In which line of its file the key stands, from 1; 0 where absent. */
size_t profiles_line(const Profiles *profiles, ProfileSection section, const char *name, const char *key);

#endif
