/* Where the region and the endpoints come from when the configuration does not say, and where the base credentials are
 * looked for: environment and the SDKs' two files, in their order. Reads files: before the loop, or on the pool.
 * Source: AWS SDKs and Tools Reference Guide, "Standardized credential providers". */
#ifndef TOCSIN_AWS_CHAIN_H
#define TOCSIN_AWS_CHAIN_H

#include "aws/keys.h"
#include "aws/profile.h"

typedef struct AwsFiles {
    Profiles *config, *credentials;
    char *config_path, *credentials_path;
} AwsFiles;

const char *aws_environment(const char *name); /* NULL where absent or empty; borrowed */

/* False: one of them cannot be read or parsed; says which. */
bool aws_files_read(AwsFiles *ret_files, Error *err);
void aws_files_deinit(AwsFiles *files);
static inline void aws_files_drop(AwsFiles *files) { aws_files_deinit(files); }
/* One number for both files' times and sizes: another one, other contents. */
uint64_t aws_files_stamp(void);

/* `profile`: as configured, NULL: by AWS_PROFILE, AWS_DEFAULT_PROFILE, or `default`. Borrowed. */
const char *aws_profile_name(const char *profile);
const char *aws_files_get(
    const AwsFiles *files, const char *profile, const char *key); /* credentials file first; NULL: absent */

/* Environment, then profile; NULL: none. Borrowed from either. */
const char *aws_chain_region(const AwsFiles *files, const char *profile);
const char *aws_chain_endpoint(const AwsFiles *files, const char *profile, const char *service_word);
const char *aws_chain_ca_bundle(const AwsFiles *files, const char *profile);

#endif
