/* Events counted over a time span by their own time and their distinct ids, a group by a group: members may come late
 * and in any order. Pure: no clock (prune is told the time), no I/O; bounded; its members can be listed and put back,
 * which is how a store keeps it. A window is (end - span, end]: two events exactly `span` apart are not in one. One
 * thread at a time. */
#ifndef TOCSIN_RULES_EVENT_WINDOW_H
#define TOCSIN_RULES_EVENT_WINDOW_H

#include "base/own.h"
#include "rules/count_condition.h"

enum {
    WINDOW_GROUPS_MAX = 10000,
    WINDOW_MEMBERS_MAX = 100000, /* all groups together */
    WINDOW_GROUP_MEMBERS_MAX = 10000,
    WINDOW_GROUP_BYTES_MAX = 4096, /* of a group's key: it is cut behind that */
    WINDOW_KINDS_MAX = 64
};

typedef enum {
    WINDOW_EVENTS, /* how many */
    WINDOW_VALUES, /* how many distinct values */
    WINDOW_KINDS, /* how many distinct kinds, in any order */
    WINDOW_ORDERED /* how many kinds from 0 on, one behind the other in time; events of one second in any order */
} WindowMode;

typedef struct WindowRule {
    WindowMode mode;
    size_t kinds; /* KINDS, ORDERED: at most WINDOW_KINDS_MAX */
    int64_t span_s;
    int64_t keep_s; /* at least span_s; more by how late a member may come */
    CountCondition condition;
} WindowRule;

typedef enum {
    WINDOW_ADDED,
    WINDOW_KNOWN /* that id and kind are in */,
    WINDOW_LATE /* older than what is kept */,
    WINDOW_FULL
} WindowAnswer;

typedef struct EventWindow EventWindow;

EventWindow *event_window_new(const WindowRule *rule); /* copies it */
EventWindow *event_window_free(EventWindow *window);
OWN_DEFINE(EventWindow, event_window)

/* `group`, `id`, `value` (may be NULL) are copied or digested. A full group loses its oldest member to the new one. */
WindowAnswer event_window_add(
    EventWindow *window, const char *group, int64_t time_ms, size_t kind, const char *id, const char *value);
/* What the mode counts in the window that ends at end_ms. ORDERED: the longest run of kinds from 0 on. */
int64_t event_window_count(const EventWindow *window, const char *group, int64_t end_ms);
/* Does the condition hold in a window that ends at a member and has the member (time, id, kind) in it? For counts from
 * below; silence is found by event_window_count() when time has passed. `ret_count` gets the count that met it. */
bool event_window_meets(
    const EventWindow *window, const char *group, int64_t time_ms, size_t kind, const char *id, int64_t *ret_count);
/* Forgets members that are older than keep_s before now_ms, and groups without any. */
void event_window_prune(EventWindow *window, int64_t now_ms);

size_t event_window_members(const EventWindow *window);
uint64_t event_window_dropped(const EventWindow *window); /* for want of room, since it was made */

/* A member as a store keeps it; texts are borrowed for the call. */
typedef struct WindowMember {
    const char *group;
    int64_t time_ms;
    size_t kind;
    const char *id, *value; /* digests: hex */
} WindowMember;
typedef void WindowVisit(void *ctx, const WindowMember *member);
void event_window_each(const EventWindow *window, WindowVisit *visit, void *ctx); /* a group's in order of time */
bool event_window_restore(EventWindow *window, const WindowMember *member); /* false: not one of each(), or no room */

#endif
