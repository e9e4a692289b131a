/* daemon/notify/mutes.c: why an alert is held back */
#include "notify/mutes.h"

#include "base/alloc.h"

#include <stdlib.h>

struct Mutes {
    Inhibit *inhibit; /* NULL: no rules yet */
    Silences *silences;
};

Mutes *mutes_new(void) {
    Mutes *mutes = alloc_zeroed(1, sizeof *mutes);
    mutes->silences = silences_new();
    return mutes;
}

Mutes *mutes_free(Mutes *mutes) {
    if (!mutes) return NULL;
    inhibit_free(mutes->inhibit);
    silences_free(mutes->silences);
    free(mutes);
    return NULL;
}

void mutes_follow_rules(
    Mutes *mutes, const InhibitSection *rules, const Instance *const *instances, size_t instance_count) {
    inhibit_free(mutes->inhibit);
    mutes->inhibit = inhibit_new(rules->rules, rules->count);
    for (size_t i = 0; i < instance_count; i++) mutes_follow(mutes, instances[i]);
}

void mutes_follow(Mutes *mutes, const Instance *instance) {
    if (!mutes->inhibit) return;
    if (instance_is_firing(instance))
        inhibit_add(mutes->inhibit, instance->fingerprint, instance->labels);
    else
        inhibit_remove(mutes->inhibit, instance->fingerprint);
}

void mutes_forget(Mutes *mutes, const char *fingerprint) {
    if (mutes->inhibit) inhibit_remove(mutes->inhibit, fingerprint);
}

Silences *mutes_silences(const Mutes *mutes) { return mutes->silences; }

bool mutes_hold(const Mutes *mutes, const Labels *labels, int64_t now_ms) {
    const char *first;
    return silences_mute(mutes->silences, labels, now_ms, &first, 1, NULL) > 0 ||
        mutes_inhibitors(mutes, labels, &first, 1) > 0;
}

size_t mutes_inhibitors(const Mutes *mutes, const Labels *labels, const char **ret_fingerprints, size_t room) {
    return mutes->inhibit ? inhibit_find(mutes->inhibit, labels, ret_fingerprints, room) : 0;
}
