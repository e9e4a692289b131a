/* daemon/alarms/change.c: from an evaluation to what people are owed */
#include "alarms/change.h"

#include "base/alloc.h"
#include "base/intern.h"
#include "base/timetext.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHANGE_TRANSITIONS = 512 }; /* an hour of high resolution has 360 windows */

InstanceChange *change_new(const Instance *instance) {
    InstanceChange *change = alloc_zeroed(1, sizeof *change);
    Instance *after = &change->after;
    *after = *instance;
    after->facts = (InstanceFacts){0};
    instance_facts_copy(&after->facts, &instance->facts);
    hold_copy(&after->hold, &instance->hold);
    after->evaluation_error = instance->evaluation_error ? text_copy(instance->evaluation_error) : NULL;
    after->datapoints = (Datapoints){0};
    after->name = intern(instance->name);
    after->source = intern(instance->source);
    after->account = intern(instance->account);
    after->region = intern(instance->region);
    after->series = labels_ref(instance->series);
    after->labels = labels_ref(instance->labels);
    after->annotations = labels_ref(instance->annotations);
    return change;
}

InstanceChange *change_free(InstanceChange *change) {
    if (!change) return NULL;
    Instance *after = &change->after;
    instance_facts_deinit(&after->facts);
    hold_deinit(&after->hold);
    free(after->evaluation_error);
    free(after->datapoints.values);
    intern_drop(after->name);
    intern_drop(after->source);
    intern_drop(after->account);
    intern_drop(after->region);
    labels_free(after->series);
    labels_free(after->labels);
    labels_free(after->annotations);
    for (size_t i = 0; i < change->transition_count; i++) free(change->transitions[i].reason);
    free(change->transitions);
    free(change);
    return NULL;
}

static void set_text(char **into, const char *text) {
    char *copy = text ? text_copy(text) : NULL;
    free(*into);
    *into = copy;
}

/* --- what people have open --- */

static void begin_firing(InstanceChange *change, int64_t now_ms) {
    Instance *after = &change->after;
    if (!instance_is_firing(after)) {
        after->firing_since_ms = now_ms;
        after->facts.worst = NAN;
        after->news = 0;
        after->facts.notes = labels_free(after->facts.notes); /* of an earlier time */
    }
    after->resolved_ms = 0;
    change->tell = true;
}

static void end_firing(InstanceChange *change, int64_t now_ms) {
    if (!instance_is_firing(&change->after)) return;
    change->after.resolved_ms = now_ms;
    change->tell = true;
}

/* Contract 3, "Firing and resolved". */
static void reach(InstanceChange *change, AlarmState to, int64_t now_ms) {
    Instance *after = &change->after;
    const bool was_missing = after->data_missing;
    after->data_missing = false;
    switch (to) {
    case STATE_ALARM: begin_firing(change, now_ms); break;
    case STATE_OK: end_firing(change, now_ms); break;
    case STATE_INSUFFICIENT_DATA:
        if (after->no_data == NODATA_RESOLVE) {
            end_firing(change, now_ms);
        } else if (instance_is_firing(after) || after->no_data == NODATA_NOTIFY) {
            if (!instance_is_firing(after)) begin_firing(change, now_ms);
            after->data_missing = true;
            change->tell = change->tell || after->no_data == NODATA_NOTIFY;
        }
        break;
    }
    change->persist = change->persist || was_missing != after->data_missing;
}

static void add_transition(
    InstanceChange *change, AlarmState from, AlarmState to, double value, const char *reason, int64_t now_ms) {
    change->persist = true;
    if (change->transition_count < CHANGE_TRANSITIONS) {
        change->transitions =
            alloc_again(change->transitions, change->transition_count + 1, sizeof *change->transitions);
        change->transitions[change->transition_count++] =
            (Transition){.time_ms = now_ms, .from = from, .to = to, .value = value, .reason = text_copy(reason)};
    }
    change->after.since_ms = now_ms;
    if (!hold_holds(&change->after.hold)) reach(change, to, now_ms);
}

static int64_t flap_period_ms(const Alarm *alarm) {
    return alarm->rule.period_s > 0 && alarm->source ? alarm->rule.period_s * 1000 : HOLD_FEED_MS;
}

/* What is shown was decided, `from` being what it was before: flap detection, history, and what people hear of it. */
static void take_state(InstanceChange *change, AlarmState from, double value, const char *reason, int64_t now_ms) {
    Instance *after = &change->after;
    const AlarmState to = after->memory.state;
    FlapChange flaps = FLAP_SAME;
    if (after->alarm) {
        const Hold before = after->hold;
        flaps = hold_flap(&after->alarm->hold.flap, &after->hold, to, from != to, flap_period_ms(after->alarm), now_ms);
        change->persist = change->persist || !hold_equal(&before, &after->hold);
    }
    if (from != to) add_transition(change, from, to, value, reason, now_ms);
    if (flaps == FLAP_STARTED) begin_firing(change, now_ms);
    if (flaps == FLAP_STOPPED) change_tell(change, now_ms);
}

void change_tell(InstanceChange *change, int64_t now_ms) {
    change->persist = change->tell = true;
    if (!hold_holds(&change->after.hold)) reach(change, change->after.memory.state, now_ms);
}

/* --- judging an observation --- */

static bool is_worse(const ThresholdRule *rule, double value, double than) {
    if (isnan(value)) return false;
    if (isnan(than)) return true;
    return rule->comparison == COMPARE_GT || rule->comparison == COMPARE_GE ? value > than : value < than;
}

/* Why it is shown otherwise than it was judged, or fires later than it began to breach. */
static void explain_pending(InstanceChange *change, AlarmState before) {
    Instance *after = &change->after;
    const PendingRule *rule = &after->alarm->hold.pending;
    const bool is_shown = after->memory.state == STATE_ALARM, is_judged = after->hold.judged == STATE_ALARM;
    const bool is_late = is_shown && is_judged && before != STATE_ALARM && rule->for_s;
    if (is_shown == is_judged && !is_late) return;
    const char *words = is_late ? "it lasted" : is_shown ? "kept in ALARM for" : "pending until it has lasted";
    char span[TIME_TEXT_MAX];
    duration_format(is_shown && !is_judged ? rule->keep_firing_s : rule->for_s, span);
    OWN(text) char *reason = text_format("%s (%s %s)", after->facts.reason, words, span);
    set_text(&after->facts.reason, reason);
}

/* What `for` and `keep_firing_for` make of the state that was judged, `before` being the one shown. */
static AlarmState pend(InstanceChange *change, AlarmState before, int64_t now_ms) {
    Instance *after = &change->after;
    const Hold was = after->hold;
    const AlarmState to =
        hold_pend(&after->alarm->hold.pending, &after->hold, before, after->since_ms / 1000, now_ms / 1000);
    change->persist = change->persist || !hold_equal(&was, &after->hold);
    return to;
}

static void judge_end(InstanceChange *change, const Observation *seen, int64_t end_s, double *scratch, int64_t now_ms) {
    Instance *after = &change->after;
    const ThresholdRule *rule = &after->alarm->rule;
    const AlarmState before = after->memory.state;
    EvaluationMemory memory = after->memory;
    Evaluation judged;
    memory.state = after->hold.judged;
    evaluate(rule, &seen->samples, end_s, seen->settled_end_s, seen->grows_only, &memory, scratch, &judged);
    after->memory = judged.memory;
    after->hold.judged = judged.memory.state;
    after->facts.value = judged.value;
    after->facts.value_s = judged.value_s;
    set_text(&after->facts.reason, judged.reason);
    /* The minute at which this window was the newest: a window judged late keeps its place in the history. */
    const int64_t time_ms = now_ms - (seen->settled_end_s - end_s) * 1000;
    after->memory.state = pend(change, before, time_ms);
    explain_pending(change, before);
    take_state(change, before, judged.value, after->facts.reason, time_ms);
    if (instance_is_firing(after) && after->memory.state == STATE_ALARM &&
        is_worse(rule, judged.value, after->facts.worst)) {
        after->facts.worst = judged.value;
        change->persist = true;
    }
}

/* The first window end to judge: the one behind the last judged, or the newest where that is too long ago or new. */
static int64_t first_end(const Instance *after, const Observation *seen, int64_t resume_end_s, int64_t step_s) {
    const int64_t newest = seen->settled_end_s;
    int64_t last = after->memory.window_end_s;
    if (last == 0) return newest;
    if (resume_end_s > last) last = resume_end_s;
    if (!seen->every_minute || last < newest - CHANGE_REPLAY_S) return newest;
    return last < newest ? last - last % step_s + step_s : newest; /* on the step, which an edited period changes */
}

static void keep_datapoints(InstanceChange *change, const Observation *seen) {
    const ThresholdRule *rule = &change->after.alarm->rule;
    Datapoints *kept = &change->after.datapoints;
    const size_t count = rule->range < INSTANCE_DATAPOINTS ? rule->range : INSTANCE_DATAPOINTS;
    kept->values = alloc_zeroed(count, sizeof *kept->values);
    kept->count = count;
    kept->step_s = rule->period_s;
    kept->start_s = window_start(seen->settled_end_s, rule->period_s, count, 0);
    window_fill(&seen->samples, seen->settled_end_s, rule->period_s, count, kept->values, NULL);
}

static void take_notes(InstanceChange *change, Labels *notes) {
    InstanceFacts *facts = &change->after.facts;
    if (!notes || (facts->notes && labels_equal(facts->notes, notes))) return;
    labels_free(facts->notes);
    facts->notes = labels_ref(notes);
    change->persist = change->persist || instance_is_firing(&change->after);
}

static void judge_samples(InstanceChange *change, const Observation *seen, int64_t resume_end_s, int64_t now_ms) {
    Instance *after = &change->after;
    const ThresholdRule *rule = &after->alarm->rule;
    const int64_t judged_ahead_s = after->memory.window_end_s - seen->settled_end_s;
    /* The clock went back: judged already (3.5). From further on than that it was a wrong clock that judged. */
    if (judged_ahead_s > 0 && judged_ahead_s <= CHANGE_REPLAY_S) return;
    const int64_t step_s = evaluation_step_s(rule);
    double *scratch = alloc_zeroed(2 * rule->range, sizeof *scratch);
    const int64_t first = first_end(after, seen, resume_end_s, step_s);
    const bool is_resumed = resume_end_s && after->memory.window_end_s <= resume_end_s; /* not judged since the start */
    if (is_resumed && first - resume_end_s > step_s) /* time that nobody looked at does not count */
        pending_resume(&after->alarm->hold.pending, &after->hold.pending,
            now_ms / 1000 - (seen->settled_end_s - resume_end_s), now_ms / 1000 - (seen->settled_end_s - first));
    for (int64_t end = first; end < seen->settled_end_s; end += step_s) judge_end(change, seen, end, scratch, now_ms);
    judge_end(change, seen, seen->settled_end_s, scratch, now_ms);
    free(scratch);
    keep_datapoints(change, seen);
}

void change_observe(InstanceChange *change, const Observation *seen, int64_t resume_end_s, int64_t now_ms) {
    change->after.evaluated_ms = now_ms;
    change_error(change, NULL);
    if (seen->said)
        change_state(change, seen->said->state, seen->said->value, seen->said->reason, now_ms);
    else
        judge_samples(change, seen, resume_end_s, now_ms);
    take_notes(change, seen->notes);
}

void change_error(InstanceChange *change, const char *error) { set_text(&change->after.evaluation_error, error); }

void change_events(InstanceChange *change, const EventNews *news, int64_t now_ms) {
    Instance *after = &change->after;
    const bool was_alarm = after->memory.state == STATE_ALARM;
    after->evaluated_ms = now_ms;
    change_error(change, NULL);
    if (!news->is_met && !was_alarm) return;
    change_state(change, STATE_ALARM, news->value, news->reason, now_ms);
    after->news += (int64_t)news->matches;
    after->hold_until_ms = now_ms + news->hold_s * 1000;
    if (isnan(after->facts.worst) || news->value > after->facts.worst) after->facts.worst = news->value;
    take_notes(change, news->notes);
    change->persist = change->tell = true;
}

void change_no_events(InstanceChange *change, const char *reason, int64_t now_ms) {
    Instance *after = &change->after;
    const AlarmState state = after->memory.state;
    after->evaluated_ms = now_ms;
    change_error(change, NULL);
    if (state == STATE_OK || (state == STATE_ALARM && now_ms < after->hold_until_ms)) return;
    change_state(change, STATE_OK, 0, reason, now_ms);
}

AlarmState change_judge(InstanceChange *change, AlarmState judged, int64_t now_ms) {
    change->after.hold.judged = judged;
    return pend(change, change->after.memory.state, now_ms);
}

void change_show(InstanceChange *change, AlarmState to, double value, const char *reason, int64_t now_ms) {
    Instance *after = &change->after;
    const AlarmState from = after->memory.state;
    after->evaluated_ms = now_ms;
    after->facts.value = value;
    after->memory.state = to;
    if (reason) set_text(&after->facts.reason, reason);
    if (reason && after->alarm) explain_pending(change, from);
    take_state(change, from, value, after->facts.reason, now_ms);
}

void change_state(InstanceChange *change, AlarmState to, double value, const char *reason, int64_t now_ms) {
    change->after.hold.judged = to;
    change_show(change, to, value, reason, now_ms);
}

void change_gone(InstanceChange *change, const char *reason, int64_t now_ms) {
    Instance *after = &change->after;
    after->gone = true;
    change->persist = true;
    hold_deinit(&after->hold); /* nobody is left to end a hold */
    if (!instance_is_firing(after)) return;
    const AlarmState from = after->memory.state;
    after->memory.state = after->hold.judged = STATE_OK;
    set_text(&after->facts.reason, reason);
    add_transition(change, from, STATE_OK, NAN, reason, now_ms);
}

void instance_apply(Instance *instance, InstanceChange *change, bool durable) {
    Instance *after = &change->after;
    instance->memory = after->memory;
    instance->since_ms = after->since_ms;
    instance->evaluated_ms = after->evaluated_ms;
    instance->firing_since_ms = after->firing_since_ms;
    instance->resolved_ms = after->resolved_ms;
    instance->data_missing = after->data_missing;
    instance->news = after->news;
    instance->hold_until_ms = after->hold_until_ms;
    hold_deinit(&instance->hold);
    instance->hold = after->hold;
    after->hold = (Hold){0};
    instance->gone = after->gone && !instance->alarm; /* a reload may have brought it back meanwhile */
    instance->durable = durable;
    instance_facts_deinit(&instance->facts);
    instance->facts = after->facts;
    after->facts = (InstanceFacts){0};
    free(instance->evaluation_error);
    instance->evaluation_error = GIVE(after->evaluation_error);
    if (!after->datapoints.values) return; /* nothing new to show */
    free(instance->datapoints.values);
    instance->datapoints = after->datapoints;
    after->datapoints = (Datapoints){0};
}
