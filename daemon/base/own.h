/* Who frees what, kept by the compiler: a variable marked OWN(module) is freed when its scope ends, GIVE() hands it on.
 */
#ifndef TOCSIN_BASE_OWN_H
#define TOCSIN_BASE_OWN_H

#include <stddef.h>

#define OWN(module) __attribute__((cleanup(module##_drop)))
#define OWN_DEFINE(Type, module) \
    static inline void module##_drop(Type **p) { *p = module##_free(*p); }
#define GIVE(p) \
    ({ \
        __typeof__(p) given_ = (p); \
        (p) = NULL; \
        given_; \
    })

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

#endif
