/* Names that differ: what is imported, and what pip installs. */
#ifndef ZYGOTE_PIP_NAMES_H
#define ZYGOTE_PIP_NAMES_H

/* What to install to get `module`; `module` itself when no other name is known. Borrowed. */
const char *pip_name(const char *module);

/* What `distribution` (in any case) is imported as, if that is another name; or NULL. */
const char *pip_module(const char *distribution);

#endif
