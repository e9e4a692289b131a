/* The canonical notification, read for a plugin that puts it into words: what a person needs of each alert, by name.
 * Pure; what it gives lives in the Notice. Every text was chosen by somebody else: escape it for where it goes. */
#ifndef TOCSIN_KIT_NOTICE_H
#define TOCSIN_KIT_NOTICE_H

#include "base/own.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NOTICE_ALERTS_MAX = 1000, NOTICE_BYTES_MAX = 8 << 20 };

/* Texts are "" where there is none. */
typedef struct NoticeAlert {
    bool is_firing;
    const char *fingerprint, *name, *severity, *account, *region;
    const char *summary, *description, *reason, *value, *threshold, *metric;
    const char *worst; /* since it began to fire */
    const char *duration, *cleared; /* resolved */
    const char *acked_by, *acked_comment; /* somebody is on it */
    const char *data; /* `missing`: it fires on, and no data comes */
    const char *runbook_url, *console_url; /* http and https alone */
    int64_t starts_ms, ends_ms; /* 0: none */
    const json_t *labels, *annotations; /* objects, or NULL */
} NoticeAlert;

typedef struct Notice {
    json_t *root;
    const json_t *webhook;
    const char *id, *created_at, *receiver, *subject, *group_key, *external_url;
    bool is_firing, is_test;
    int64_t created_ms;
    NoticeAlert *alerts;
    size_t count, truncated;
    NoticeAlert *rest; /* for a channel that wants it: those not among `alerts`, with few annotations */
    size_t rest_count;
    size_t counted; /* that fire and that no message has named */
    bool was_counted; /* before this message there were some */
} Notice;

Notice *notice_read(const char *json); /* NULL: no notification. Caller frees */
Notice *notice_free(Notice *notice); /* NULL is fine; returns NULL */
OWN_DEFINE(Notice, notice)

/* The alert's labels that are neither its name, severity, account, region nor of Tocsin's own making: its resource. A
 * walk: begin with NULL, end at NULL. */
const char *notice_resource_next(const NoticeAlert *alert, const char *after, const char **ret_value);
/* What a source found out beside the figures: annotations that people are shown under a name of their own, in the order
 * in which they are read. Ends at a NULL annotation. A value may have several lines. */
typedef struct NoticeFact {
    const char *annotation, *name;
} NoticeFact;
extern const NoticeFact notice_facts[];
const char *notice_fact(const NoticeAlert *alert, const NoticeFact *fact); /* "" where the alert has none */
/* `0.91, threshold 0.8`, or what there is of it; caller frees. */
char *notice_figures(const NoticeAlert *alert);
/* `bob: looking`, who is on it; caller frees. */
char *notice_ack(const NoticeAlert *alert);
/* `2 firing, 1 resolved, 5 more`: what several alerts are; "" for one. Caller frees. */
char *notice_glance(const Notice *notice);
/* `account prod, region eu-west-1, LoadBalancer app/x`; caller frees. */
char *notice_where(const NoticeAlert *alert);
/* `2026-01-02 03:04:05 UTC`; caller frees. */
char *notice_time(int64_t ms);

#endif
