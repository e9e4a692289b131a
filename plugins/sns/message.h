/* A notification as the body of SNS's Publish (query protocol, 2010-03-31), within SNS's bounds. Pure: a retry gives
 * the same bytes. Limits: Amazon SNS API Reference, Publish. */
#ifndef TOCSIN_SNS_MESSAGE_H
#define TOCSIN_SNS_MESSAGE_H

#include "kit/notice.h"

enum { SNS_MESSAGE_MAX = 262144, SNS_SUBJECT_MAX = 99, SNS_SMS_MAX = 140, SNS_GROUP_MAX = 128 };

typedef struct SnsTarget {
    const char *topic_arn, *phone_number; /* one of them; the other NULL */
    const char *group_id; /* FIFO topics; NULL elsewhere */
} SnsTarget;

/* The form-encoded body; caller frees. NULL: it cannot be made to fit. */
char *sns_body(const Notice *notice, const SnsTarget *target);

/* Its parts, as tests look at them. Caller frees. */
char *sns_subject(const Notice *notice); /* ASCII, 1 to SNS_SUBJECT_MAX characters */
char *sns_sms(const Notice *notice); /* at most SNS_SMS_MAX characters */
char *sns_message(const Notice *notice, bool is_sms_only); /* the JSON of MessageStructure; NULL: cannot fit */

/* The MessageId of an answer, or NULL where there is none; caller frees. */
char *sns_message_id(const char *xml);

bool sns_topic_ok(const char *arn);
bool sns_phone_ok(const char *number);
bool sns_is_fifo(const char *arn);
/* The region of a good topic ARN; caller frees. */
char *sns_topic_region(const char *arn);

#endif
