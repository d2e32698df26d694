/* Under which name pip knows a module, where the two differ. */
#ifndef ZYGOTE_PIP_NAMES_H
#define ZYGOTE_PIP_NAMES_H

/* The distribution that brings `module` (its top-level name); the same name when nothing else is
 * known. */
const char *pip_name(const char *module);

#endif
