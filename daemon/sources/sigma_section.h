/* The `sigma` and `packs` sections: rule files and packs, and the one set that all rules of a snapshot are compiled
 * into, those of `events` alarms too. Rules are read anew at each load. Owned by the snapshot. */
#ifndef TOCSIN_SOURCES_SIGMA_SECTION_H
#define TOCSIN_SOURCES_SIGMA_SECTION_H

#include "config/snapshot.h"
#include "rules/sigma_set.h"

typedef struct EventSelector EventSelector;

typedef struct SigmaSection {
    TextList rules;
    const char *product;
    int64_t timespan_s;
    const Node *placeholders;
    SigmaOptions options;
    SigmaBuilder *builder; /* until sigma_section_finish() */
    SigmaSet *set; /* from then on */
    size_t files; /* that were read */
    size_t file_rules; /* the set's first rules are those of files and packs; behind them stand the alarms' own */
    EventSelector **inside; /* selectors of alarms: they get the set when it is finished */
    size_t inside_count, inside_room;
} SigmaSection;

typedef struct PacksSection {
    TextList names;
} PacksSection;

extern const SectionDescriptor sigma_section, packs_section;
extern const SchemaRow sigma_rows[];

/* The set, finished by the first call; no rule is added after it. */
const SigmaSet *sigma_section_finish(SigmaSection *section);
/* The folder of packs: $TOCSIN_PACK_DIR, else `conf/packs` beside an executable in a build tree, else the compiled-in
 * one. Caller frees. */
char *pack_directory(void);

#endif
