/* tests/unit/model/model.c: who must be told what, by looking at everything each second */
#include "model.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

/* --- what was said --- */

void said_add(Said *said, const char *line) {
    const size_t length = strlen(line);
    if (said->used + length + 2 > sizeof said->text) abort();
    memcpy(said->text + said->used, line, length);
    said->text[said->used + length] = '\n';
    said->used += length + 1;
    said->text[said->used] = '\0';
    said->count++;
}

static size_t times_in(const Said *said, const char *line, size_t length) {
    size_t times = 0;
    for (const char *at = said->text, *end; (end = strchr(at, '\n')); at = end + 1)
        times += (size_t)(end - at) == length && !memcmp(at, line, length);
    return times;
}

bool said_same(const Said *a, const Said *b) {
    if (a->count != b->count) return false;
    for (const char *at = a->text, *end; (end = strchr(at, '\n')); at = end + 1)
        if (times_in(a, at, (size_t)(end - at)) != times_in(b, at, (size_t)(end - at))) return false;
    return true;
}

/* --- matchers --- */

static bool is_like(const char *expression, const char *value) {
    char anchored[128];
    regex_t regex;
    snprintf(anchored, sizeof anchored, "^(%s)$", expression);
    if (regcomp(&regex, anchored, REG_EXTENDED | REG_NOSUB)) abort();
    const bool is_like = !regexec(&regex, value, 0, NULL, 0);
    regfree(&regex);
    return is_like;
}

static bool matcher_holds(const SpecMatcher *matcher, const SpecAlert *alert) {
    const char *value = alert->values[matcher->label] ? alert->values[matcher->label] : "";
    switch (matcher->op) {
    case OP_EQUAL: return !strcmp(value, matcher->value);
    case OP_DIFFERS: return strcmp(value, matcher->value) != 0;
    case OP_LIKE: return is_like(matcher->value, value);
    case OP_UNLIKE: return !is_like(matcher->value, value);
    case OPS: break;
    }
    abort();
}

static bool all_hold(const SpecMatchers *matchers, const SpecAlert *alert) {
    for (size_t i = 0; i < matchers->count; i++)
        if (!matcher_holds(&matchers->list[i], alert)) return false;
    return true;
}

/* --- routes --- */

/* Does the alert come to rest at routes at or below this one? Marks them. */
static bool goes_into(const Spec *spec, size_t route, const SpecAlert *alert, bool *rests_at) {
    bool has_child = false;
    if (!all_hold(&spec->routes[route].matchers, alert)) return false;
    for (size_t child = 1; child < spec->route_count; child++) {
        if (spec->routes[child].parent != route || !goes_into(spec, child, alert, rests_at)) continue;
        has_child = true;
        if (!spec->routes[child].goes_on) break;
    }
    if (!has_child) rests_at[route] = true;
    return true;
}

/* A key that a route does not give is its parent's. */
#define GIVEN(spec, from, gives) \
    ({ \
        const SpecRoute *at = &(spec)->routes[from]; \
        while (!at->gives) at = &(spec)->routes[at->parent]; \
        at; \
    })

static int64_t interval_of(const Model *model, const ModelGroup *group) {
    return GIVEN(&model->spec, group->route, gives_interval)->interval_s;
}

static const SpecEscalation *escalation_of(const Model *model, const ModelGroup *group) {
    return &GIVEN(&model->spec, group->route, gives_escalations)->escalations[group->escalation];
}

static bool is_escalation(const ModelGroup *group) { return group->escalation < SPEC_ESCALATIONS; }

static size_t receiver_of(const Model *model, const ModelGroup *group) {
    if (is_escalation(group)) return escalation_of(model, group)->receiver;
    return GIVEN(&model->spec, group->route, gives_receiver)->receiver;
}

static void labels_at_route(const Spec *spec, size_t route, const SpecAlert *alert, char text[MODEL_LABELS_TEXT]) {
    const SpecRoute *by = GIVEN(spec, route, gives_group_by);
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < SPEC_LABELS; i++) {
        if ((!by->by_every_label && !(by->group_by & 1u << i)) || !*alert->values[i]) continue;
        used += (size_t)snprintf(text + used, MODEL_LABELS_TEXT - used, "%s%s=\"%s\"", used ? ", " : "",
            spec_label_names[i], alert->values[i]);
    }
}

/* --- what holds an alert back --- */

static bool agree(const SpecAlert *a, const SpecAlert *b, unsigned labels) {
    for (size_t i = 0; i < SPEC_LABELS; i++)
        if (labels & 1u << i && strcmp(a->values[i], b->values[i]) != 0) return false;
    return true;
}

static bool is_inhibited_by(const Model *model, size_t rule, size_t target, size_t source) {
    if (!model->is_target[target][rule] || !model->is_source[source][rule]) return false;
    if (model->is_source[target][rule] && model->is_target[source][rule]) return false; /* both are both */
    return agree(&model->spec.alerts[source], &model->spec.alerts[target], model->spec.rules[rule].equal);
}

static bool is_inhibited(const Model *model, size_t alert) {
    for (size_t rule = 0; rule < model->spec.rule_count; rule++)
        for (size_t other = 0; other < SPEC_ALERTS; other++)
            if (model->fires[other] && is_inhibited_by(model, rule, alert, other)) return true;
    return false;
}

static bool is_silenced(const Model *model, size_t alert, int64_t now_s) {
    for (size_t i = 0; i < MODEL_SILENCES; i++) {
        const ModelSilence *silence = &model->silences[i];
        if (silence->starts_s <= now_s && now_s < silence->ends_s && silence->covers[alert]) return true;
    }
    return false;
}

static bool is_in(const SpecInterval *interval, int64_t now_s) {
    const int64_t day = now_s / 86400, minute = now_s % 86400 / 60;
    const unsigned weekday = 1u << (day + 4) % 7; /* 1970 began on a Thursday */
    return (!interval->weekdays || interval->weekdays & weekday) && minute >= interval->first_minute &&
        minute < interval->end_minute;
}

static bool is_route_silent(const Model *model, size_t route, int64_t now_s) {
    const SpecRoute *at = &model->spec.routes[route];
    bool is_muted = false, is_active = false;
    for (size_t i = 0; i < SPEC_INTERVALS; i++) {
        const bool holds = is_in(&model->spec.intervals[i], now_s);
        is_muted = is_muted || (holds && at->mute & 1u << i);
        is_active = is_active || (holds && at->active & 1u << i);
    }
    return is_muted || (at->active && !is_active);
}

static bool is_acked(const Model *model, size_t alert, int64_t now_s) {
    return model->fires[alert] && now_s < model->acked_until_s[alert];
}

/* --- groups --- */

void model_configure(Model *model, const Spec *spec) {
    model->spec = *spec;
    for (size_t alert = 0; alert < SPEC_ALERTS; alert++) {
        for (size_t route = 0; route < SPEC_ROUTES; route++) model->rests[alert][route] = false;
        goes_into(spec, 0, &spec->alerts[alert], model->rests[alert]);
        for (size_t rule = 0; rule < spec->rule_count; rule++) {
            model->is_source[alert][rule] = all_hold(&spec->rules[rule].source, &spec->alerts[alert]);
            model->is_target[alert][rule] = all_hold(&spec->rules[rule].target, &spec->alerts[alert]);
        }
    }
}

void model_init(Model *model, const Spec *spec) {
    *model = (Model){.spec = {.route_count = 0}};
    model_configure(model, spec);
    for (size_t i = 0; i < SPEC_ALERTS; i++) model->acked_until_s[i] = MODEL_NEVER;
}

void model_silence(Model *model, size_t number, const SpecMatchers *matchers, int64_t starts_s, int64_t ends_s) {
    ModelSilence *silence = &model->silences[number];
    *silence = (ModelSilence){.matchers = *matchers, .starts_s = starts_s, .ends_s = ends_s};
    for (size_t alert = 0; alert < SPEC_ALERTS; alert++)
        silence->covers[alert] = all_hold(matchers, &model->spec.alerts[alert]);
}

static bool has_labels_of(const Model *model, const ModelGroup *group, size_t alert) {
    char labels[MODEL_LABELS_TEXT];
    labels_at_route(&model->spec, group->route, &model->spec.alerts[alert], labels);
    return !strcmp(labels, group->labels);
}

static ModelGroup *group_find(Model *model, size_t route, size_t escalation, const char *labels) {
    for (size_t i = 0; i < MODEL_GROUPS; i++) {
        ModelGroup *group = &model->groups[i];
        if (group->is_open && group->route == route && group->escalation == escalation &&
            !strcmp(group->labels, labels))
            return group;
    }
    return NULL;
}

/* `next_s`: when it looks first, if it is not there yet. */
static void group_open(Model *model, size_t route, size_t escalation, const char *labels, int64_t next_s) {
    if (group_find(model, route, escalation, labels)) return;
    for (size_t i = 0; i < MODEL_GROUPS; i++) {
        ModelGroup *group = &model->groups[i];
        if (group->is_open) continue;
        *group = (ModelGroup){.is_open = true,
            .route = route,
            .escalation = escalation,
            .first_s = MODEL_NEVER,
            .next_s = next_s,
            .sent_s = MODEL_NEVER};
        snprintf(group->labels, sizeof group->labels, "%s", labels);
        return;
    }
    abort();
}

static bool concerns(const Model *model, const ModelGroup *group, size_t alert) {
    return model->rests[alert][group->route] && has_labels_of(model, group, alert);
}

/* Those that know of the alert. */
static void bring_news(Model *model, size_t alert) {
    for (size_t i = 0; i < MODEL_GROUPS; i++) {
        ModelGroup *group = &model->groups[i];
        if (!group->is_open || !concerns(model, group, alert)) continue;
        const ModelGroup *base = group_find(model, group->route, SPEC_ESCALATIONS, group->labels);
        if (!is_escalation(group) || group->told[alert] || (base && base->told[alert])) group->has_news = true;
    }
}

void model_fire(Model *model, size_t alert, int64_t now_s) {
    const Spec *spec = &model->spec;
    bring_news(model, alert);
    model->fires[alert] = true;
    model->since_s[alert] = now_s;
    for (size_t route = 0; route < spec->route_count; route++) {
        char labels[MODEL_LABELS_TEXT];
        if (!model->rests[alert][route]) continue;
        labels_at_route(spec, route, &spec->alerts[alert], labels);
        group_open(model, route, SPEC_ESCALATIONS, labels, now_s + GIVEN(spec, route, gives_wait)->wait_s);
    }
}

void model_end(Model *model, size_t alert) {
    bring_news(model, alert);
    model->fires[alert] = false;
    model->acked_until_s[alert] = MODEL_NEVER;
}

void model_restart(Model *model) {
    for (size_t i = 0; i < MODEL_GROUPS; i++) {
        ModelGroup *group = &model->groups[i];
        bool is_open = false;
        for (size_t alert = 0; group->is_open && alert < SPEC_ALERTS; alert++)
            is_open = is_open || group->told[alert] || (model->fires[alert] && concerns(model, group, alert));
        group->is_open = is_open;
    }
}

void model_pass(Model *model, int64_t now_s) {
    for (size_t alert = 0; alert < SPEC_ALERTS; alert++) {
        if (!is_silenced(model, alert, now_s)) continue;
        for (size_t i = 0; i < MODEL_GROUPS; i++)
            if (model->groups[i].is_open && model->groups[i].told[alert]) model->groups[i].was_held[alert] = true;
    }
}

/* --- a look --- */

typedef enum { NOT_HERE, NOT_YET, HELD, FIRES, ENDED } Place;

/* An escalation is entered by what its route's own receiver was told so long ago and nobody acknowledged. */
static Place place_in_escalation(Model *model, const ModelGroup *group, size_t alert, int64_t now_s) {
    const ModelGroup *base = group_find(model, group->route, SPEC_ESCALATIONS, group->labels);
    if (group->told[alert]) return model->fires[alert] ? FIRES : ENDED;
    if (!model->fires[alert] || !base || !base->told[alert]) return NOT_HERE;
    const bool is_told_of_this = base->told_of_s[alert] == model->since_s[alert];
    const bool is_over = now_s >= base->told_at_s[alert] + escalation_of(model, group)->after_s;
    return is_told_of_this && is_over && !is_acked(model, alert, now_s) ? FIRES : NOT_YET;
}

static Place place_of(Model *model, const ModelGroup *group, size_t alert, int64_t now_s) {
    Place place = NOT_HERE;
    if (!concerns(model, group, alert)) return NOT_HERE;
    if (is_escalation(group))
        place = place_in_escalation(model, group, alert, now_s);
    else if (model->fires[alert] || group->told[alert])
        place = model->fires[alert] ? FIRES : ENDED;
    if (place != FIRES && place != ENDED) return place;
    const bool is_muted =
        is_route_silent(model, group->route, now_s) || is_silenced(model, alert, now_s) || is_inhibited(model, alert);
    return is_muted ? HELD : place;
}

typedef struct Look {
    Place places[SPEC_ALERTS];
    size_t firing, fresh, ended, released, held, waiting, unacked;
} Look;

static Look look_at(Model *model, const ModelGroup *group, int64_t now_s) {
    Look look = {.firing = 0};
    for (size_t alert = 0; alert < SPEC_ALERTS; alert++) {
        const Place place = look.places[alert] = place_of(model, group, alert, now_s);
        look.held += place == HELD;
        look.waiting += place == NOT_YET;
        look.ended += place == ENDED;
        if (place != FIRES) continue;
        const bool is_alone = !is_acked(model, alert, now_s);
        look.firing++;
        look.fresh += !group->told[alert];
        look.unacked += is_alone;
        look.released += group->told[alert] && group->was_held[alert] && is_alone;
    }
    return look;
}

static bool hears_of_ends(const SpecReceiver *receiver) {
    for (size_t i = 0; i < receiver->channel_count; i++)
        if (receiver->send_resolved[i]) return true;
    return false;
}

static int64_t beat_of(const Model *model, const ModelGroup *group, int64_t now_s) {
    return now_s - (now_s - group->first_s) % interval_of(model, group);
}

static const char *reason_of(const Model *model, const ModelGroup *group, const Look *look, int64_t now_s) {
    const bool has_spoken = group->sent_s != MODEL_NEVER;
    if (look->fresh && is_escalation(group)) return "not acknowledged";
    if (look->fresh) return has_spoken ? "new alerts added" : "first notification";
    if (look->ended && !look->firing && !look->held) return "all alerts resolved";
    if (look->ended && hears_of_ends(&model->spec.receivers[receiver_of(model, group)])) return "some alerts resolved";
    if (look->released) return "no longer muted";
    const int64_t repeat_s = GIVEN(&model->spec, group->route, gives_repeat)->repeat_s;
    return has_spoken && look->unacked && beat_of(model, group, now_s) >= group->sent_s + repeat_s
        ? "repeat interval elapsed"
        : NULL;
}

/* Alertmanager's: `{}/{team="x",stage!="y"}`. */
static size_t add_route(const Spec *spec, size_t route, char *text, size_t used, size_t room) {
    const SpecMatchers *matchers = &spec->routes[route].matchers;
    if (!route) return used + (size_t)snprintf(text + used, room - used, "{}");
    used = add_route(spec, spec->routes[route].parent, text, used, room);
    used += (size_t)snprintf(text + used, room - used, "/{");
    for (size_t i = 0; i < matchers->count; i++) {
        const SpecMatcher *m = &matchers->list[i];
        used += (size_t)snprintf(text + used, room - used, "%s%s%s\"%s\"", i ? "," : "", spec_label_names[m->label],
            spec_op_words[m->op], m->value);
    }
    return used + (size_t)snprintf(text + used, room - used, "}");
}

static size_t add_group(const Model *model, const ModelGroup *group, char *text, size_t used, size_t room) {
    used = add_route(&model->spec, group->route, text, used, room);
    if (is_escalation(group))
        used += (size_t)snprintf(text + used, room - used, "/!%llds", (long long)escalation_of(model, group)->after_s);
    return used + (size_t)snprintf(text + used, room - used, ":{%s}", group->labels);
}

static void say(const Model *model, const ModelGroup *group, const Look *look, const char *reason, Said *said) {
    const size_t receiver = receiver_of(model, group);
    const bool is_end = !strcmp(reason, "all alerts resolved") || !strcmp(reason, "some alerts resolved");
    for (size_t channel = 0; channel < model->spec.receivers[receiver].channel_count; channel++) {
        const bool hears = model->spec.receivers[receiver].send_resolved[channel];
        char line[1024];
        if (!hears && (is_end || !look->firing)) continue;
        size_t used = (size_t)snprintf(line, sizeof line, "r%zu.%zu ", receiver, channel);
        used = add_group(model, group, line, used, sizeof line);
        if (!strcmp(reason, "repeat interval elapsed") && model->waits && model->waits(model->ctx, line, used))
            continue;
        used += (size_t)snprintf(line + used, sizeof line - used, " %s:", reason);
        for (size_t alert = 0; alert < SPEC_ALERTS; alert++)
            if (look->places[alert] == FIRES || (look->places[alert] == ENDED && hears))
                used += (size_t)snprintf(
                    line + used, sizeof line - used, " %c%zu", look->places[alert] == FIRES ? '+' : '-', alert);
        said_add(said, line);
    }
}

/* Whoever is told now for the first time of this firing, or again behind a mute, hears the clock of escalation begin.
 */
static void tell(Model *model, ModelGroup *group, size_t alert, bool speaks, int64_t now_s) {
    const bool is_news =
        !group->told[alert] || (group->was_held[alert] && speaks) || group->told_of_s[alert] != model->since_s[alert];
    group->told[alert] = true;
    if (speaks) group->was_held[alert] = false;
    if (!is_news) return;
    group->told_at_s[alert] = now_s;
    group->told_of_s[alert] = model->since_s[alert];
    const size_t escalations = GIVEN(&model->spec, group->route, gives_escalations)->escalation_count;
    for (size_t i = 0; !is_escalation(group) && i < escalations; i++)
        group_open(model, group->route, i, group->labels, MODEL_NEVER);
}

static void remember(Model *model, ModelGroup *group, const Look *look, bool speaks, int64_t now_s) {
    for (size_t alert = 0; alert < SPEC_ALERTS; alert++) {
        if (look->places[alert] == ENDED) group->told[alert] = group->was_held[alert] = false;
        if (look->places[alert] == FIRES) tell(model, group, alert, speaks, now_s);
    }
}

static void group_speak(Model *model, ModelGroup *group, const Look *look, int64_t now_s, Said *said) {
    if (group->first_s == MODEL_NEVER) group->first_s = now_s;
    const char *reason = reason_of(model, group, look, now_s);
    if (reason) {
        say(model, group, look, reason, said);
        group->sent_s = beat_of(model, group, now_s);
    }
    remember(model, group, look, reason != NULL, now_s);
    group->is_late = group->has_news = false;
    group->looked_s = now_s;
    group->next_s = beat_of(model, group, now_s) + interval_of(model, group);
    /* An escalation whose receiver knows of nothing that fires begins anew. */
    if (is_escalation(group) && !look->firing && !look->held)
        group->first_s = group->next_s = group->sent_s = MODEL_NEVER;
}

static bool stays_open(Model *model, const ModelGroup *group, int64_t now_s) {
    const Look look = look_at(model, group, now_s);
    return look.firing || look.held || look.waiting;
}

/* An escalation that has not spoken does so when the first alert is its own, and is over when none will be. */
static bool is_due(ModelGroup *group, const Look *look, int64_t now_s) {
    if (group->next_s != MODEL_NEVER) return now_s >= group->next_s;
    group->is_open = look->firing || look->held || look->waiting;
    return look->firing || look->held;
}

/* Is there something that it has not seen: another firing of what was told, an alert that came to an escalation? */
static bool has_unseen(Model *model, const ModelGroup *group, const Look *look) {
    const ModelGroup *base = group_find(model, group->route, SPEC_ESCALATIONS, group->labels);
    for (size_t alert = 0; alert < SPEC_ALERTS; alert++) {
        if (look->places[alert] == FIRES && group->told_of_s[alert] != model->since_s[alert]) return true;
        if (look->places[alert] == NOT_YET && base->told_at_s[alert] >= group->looked_s) return true;
    }
    const bool is_over = !look->firing && !look->waiting;
    return group->has_news || look->held || look->ended || is_over || group->first_s == MODEL_NEVER;
}

void model_miss(Model *model, int64_t now_s) {
    for (size_t i = 0; i < MODEL_GROUPS; i++) {
        ModelGroup *group = &model->groups[i];
        if (!group->is_open || group->is_late || group->next_s == MODEL_NEVER || now_s < group->next_s) continue;
        const Look look = look_at(model, group, now_s);
        group->is_late = has_unseen(model, group, &look) || reason_of(model, group, &look, now_s) != NULL;
        if (!group->is_late) group->next_s += interval_of(model, group);
    }
}

size_t model_due(const Model *model, int64_t now_s) {
    size_t count = 0;
    for (size_t i = 0; i < MODEL_GROUPS; i++) count += model->groups[i].is_open && now_s >= model->groups[i].next_s;
    return count;
}

static bool says_all(const Said *heard, const Said *lines) {
    for (const char *at = lines->text, *end; (end = strchr(at, '\n')); at = end + 1)
        if (!times_in(heard, at, (size_t)(end - at))) return false;
    return lines->count > 0;
}

/* Of many groups in one second an escalation may look before what the others say then is known, or behind it. */
static void speak_as_heard(
    Model *model, ModelGroup *group, const Look *before, int64_t now_s, const Said *heard, Said *said) {
    ModelGroup trial = *group;
    Said lines = {.used = 0};
    group_speak(model, &trial, before, now_s, &lines);
    const Look behind = look_at(model, group, now_s);
    if (says_all(heard, &lines))
        group_speak(model, group, before, now_s, said);
    else if (is_due(group, &behind, now_s))
        group_speak(model, group, &behind, now_s, said);
}

void model_look(Model *model, int64_t now_s, const Said *heard, Said *said) {
    Look looks[MODEL_GROUPS];
    ModelGroup *due[MODEL_GROUPS];
    size_t count = 0;
    for (size_t i = 0; i < MODEL_GROUPS; i++) {
        ModelGroup *group = &model->groups[i];
        if (!group->is_open || (group->next_s != MODEL_NEVER && now_s < group->next_s)) continue;
        looks[count] = look_at(model, group, now_s);
        if (is_due(group, &looks[count], now_s)) due[count++] = group;
    }
    for (size_t i = 0; i < count; i++)
        if (!heard || !is_escalation(due[i])) group_speak(model, due[i], &looks[i], now_s, said);
    for (size_t i = 0; heard && i < count; i++)
        if (is_escalation(due[i])) speak_as_heard(model, due[i], &looks[i], now_s, heard, said);
    for (size_t i = 0; i < count; i++) due[i]->is_open = stays_open(model, due[i], now_s);
}
