/* Inhibition: firing alerts that match a rule's source side mute those that match its target side, where all labels of
 * `equal` agree. The rules live in the snapshot (inhibit_section.h reads them); the index of what fires is the loop's,
 * kept up to date alert by alert, so that one question costs a look at each rule, however many alerts fire.
 * Source: Alertmanager documentation, "Configuration", section "inhibit_rule". */
#ifndef TOCSIN_NOTIFY_INHIBIT_H
#define TOCSIN_NOTIFY_INHIBIT_H

#include "base/labels.h"
#include "rules/matcher.h"

typedef struct InhibitRule {
    Matchers *source, *target;
    size_t equal_count;
    const char *const *equal; /* names of labels; absent and empty agree */
} InhibitRule;

typedef struct Inhibit Inhibit;

/* An empty index under these rules, which outlive it: it belongs to a snapshot and is made anew with the next one. */
Inhibit *inhibit_new(const InhibitRule *rules, size_t count);
Inhibit *inhibit_free(Inhibit *index); /* NULL is fine; returns NULL */
OWN_DEFINE(Inhibit, inhibit)

/* An alert fires; one of that fingerprint that did before, with whatever labels, does so no more. Labels are read, not
 * kept. */
void inhibit_add(Inhibit *index, const char *fingerprint, const Labels *labels);
void inhibit_remove(Inhibit *index, const char *fingerprint); /* it fires no more; an unknown one is fine */
/* The fingerprints of alerts that mute one with these labels, each once, at most `room` of them, in the order of the
 * rules; returns how many. With `room` 1 it tells whether there is any. They are borrowed until the next change. An
 * alert that matches both sides of a rule is not muted by it for others that do; so never by itself. */
size_t inhibit_find(const Inhibit *index, const Labels *labels, const char **ret_fingerprints, size_t room);
/* Expressions that passed a limit so far, and so did not match. */
unsigned inhibit_limits(const Inhibit *index);

#endif
