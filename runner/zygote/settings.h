/*
 * What the host tells the zygote at its start: `name=value` texts, each ended by a NUL.
 */
#ifndef ZYGOTE_SETTINGS_H
#define ZYGOTE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "allowlist/policy.h"
#include "runner/zygote/sandbox.h"

struct error;

struct zygote_settings {
    struct policy policy;
    struct name_list skip; /* modules that were found unfit to be imported ahead */
    char *venv;            /* folder of the virtual environment, or NULL: no packages */
    bool env_access;       /* tasks see the environment that the zygote was given */
    struct sandbox_options sandbox;
    bool check; /* children try the walls instead of running a task */
};

int zygote_settings_read(struct zygote_settings *settings, const char *text, size_t length,
                         struct error **err);
void zygote_settings_free(struct zygote_settings *settings);

#endif
