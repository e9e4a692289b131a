/* One copy of a text that very many things bear: an alarm's name, an account, a region. Counted, and gone with its last
 * bearer. Loop thread. */
#ifndef TOCSIN_BASE_INTERN_H
#define TOCSIN_BASE_INTERN_H

/* The copy of this text; each call is to be met by one of intern_drop(). NULL gives NULL. */
const char *intern(const char *text);
void intern_drop(const char *interned); /* NULL is fine */

#endif
