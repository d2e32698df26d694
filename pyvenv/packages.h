/*
 * What is installed in an environment: distributions (what pip installs), the modules that each
 * brings (what code imports), and which of them somebody asked for. Read from the records that
 * installers leave (PEP 376), without Python, so that it costs next to nothing at the start.
 */
#ifndef PYVENV_PACKAGES_H
#define PYVENV_PACKAGES_H

#include <stdbool.h>
#include <stddef.h>

struct package {
    char *name;     /* as its folder has it */
    char **modules; /* top-level names, without those that begin with an underscore */
    size_t module_count;
    bool requested; /* named by extras.txt, not brought along by another */
};

struct packages {
    struct package *at;
    size_t count;
};

/* Reads `site_packages`; what can't be read is passed over. packages_free(). */
void packages_read(struct packages *packages, const char *site_packages);
void packages_free(struct packages *packages);

/* The distribution of this name, whatever its case and its `-`, `_` and `.` (PEP 503), or NULL. */
const struct package *packages_named(const struct packages *packages, const char *name);

#endif
