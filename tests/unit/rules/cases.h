/* The groups of alarm-cases.json, for tests that run each entry of one. */
#ifndef TOCSIN_TESTS_CASES_H
#define TOCSIN_TESTS_CASES_H

#include "rules/judge.h"

#include <check.h>
#include <jansson.h>

/* A new reference; not empty. */
static inline json_t *cases_of(const char *group) {
    json_error_t error;
    json_t *all = json_load_file(ALARM_CASES, 0, &error);
    ck_assert_msg(all != NULL, "%s", error.text);
    json_t *list = json_incref(json_object_get(all, group));
    json_decref(all);
    ck_assert_uint_gt(json_array_size(list), 0);
    return list;
}

static inline const char *word(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

static inline double figure(const json_t *object, const char *key) {
    return json_number_value(json_object_get(object, key));
}

static inline AlarmState state_of(const char *text) {
    AlarmState state = STATE_OK;
    ck_assert_msg(text && state_parse(text, &state), "state %s", text ? text : "absent");
    return state;
}

#endif
