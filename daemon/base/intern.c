#include "base/intern.h"

#include "base/alloc.h"
#include "base/table.h"

#include <stdlib.h>
#include <string.h>

typedef struct Interned {
    size_t references;
    UT_hash_handle hh;
    char text[];
} Interned;

static Interned *table;

const char *intern(const char *text) {
    if (!text) return NULL;
    Interned *found;
    HASH_FIND_STR(table, text, found);
    if (!found) {
        const size_t size = strlen(text) + 1;
        found = alloc_zeroed(1, sizeof *found + size);
        memcpy(found->text, text, size);
        HASH_ADD_KEYPTR(hh, table, found->text, size - 1, found);
    }
    found->references++;
    return found->text;
}

void intern_drop(const char *interned) {
    if (!interned) return;
    Interned *found = (Interned *)(uintptr_t)(interned - offsetof(Interned, text));
    if (--found->references) return;
    HASH_DEL(table, found);
    free(found);
}
