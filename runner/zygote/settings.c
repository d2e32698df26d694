/* What the host tells the zygote; see settings.h. */
#include "runner/zygote/settings.h"

#include <stdlib.h>
#include <string.h>

#include "runner/base/error.h"
#include "runner/base/mem.h"

static int take_sandbox(struct sandbox_options *sandbox, const char *name, const char *value,
                        struct error **err)
{
    size_t number = strtoull(value, NULL, 10);

    if (strcmp(name, "sandbox") == 0)
        sandbox->mode = strcmp(value, "off") == 0       ? SANDBOX_OFF
                        : strcmp(value, "require") == 0 ? SANDBOX_REQUIRE
                                                        : SANDBOX_AUTO;
    else if (strcmp(name, "network") == 0)
        sandbox->network = strcmp(value, "allow") == 0;
    else if (strcmp(name, "memory_mb") == 0)
        sandbox->memory = number << 20;
    else if (strcmp(name, "tmp_mb") == 0)
        sandbox->tmp = number << 20;
    else if (strcmp(name, "result_max") == 0)
        sandbox->result = number;
    else if (strcmp(name, "tasks") == 0)
        sandbox->tasks = number;
    else if (strcmp(name, "scratch") == 0)
        sandbox->scratch = *value ? mem_dup(value) : NULL;
    else
        return error_set(err, "unknown zygote setting `%s`", name);
    return 0;
}

static int take(struct zygote_settings *settings, const char *name, const char *value,
                struct error **err)
{
    if (strcmp(name, "stdlib") == 0)
        return name_list_parse(&settings->policy.stdlib, name, value, err);
    if (strcmp(name, "external") == 0)
        return name_list_parse(&settings->policy.external, name, value, err);
    if (strcmp(name, "builtins_deny") == 0)
        return name_list_parse(&settings->policy.builtins_deny, name, value, err);
    if (strcmp(name, "skip") == 0)
        return name_list_parse(&settings->skip, name, value, err);
    if (strcmp(name, "venv") == 0)
        settings->venv = *value ? mem_dup(value) : NULL;
    else if (strcmp(name, "check") == 0)
        settings->check = strcmp(value, "true") == 0;
    else if (strcmp(name, "env_access") == 0)
        settings->env_access = strcmp(value, "true") == 0;
    else
        return take_sandbox(&settings->sandbox, name, value, err);
    return 0;
}

int zygote_settings_read(struct zygote_settings *settings, const char *text, size_t length,
                         struct error **err)
{
    const char *end = text + length;

    *settings = (struct zygote_settings){0};
    while (text < end) {
        size_t size = strnlen(text, (size_t)(end - text));
        AUTO_FREE char *line = mem_dup_n(text, size);
        char *value = strchr(line, '=');

        if (!value)
            return error_set(err, "zygote setting without a value");
        *value++ = '\0';
        if (take(settings, line, value, err) < 0)
            return -1;
        text += size + 1;
    }
    return 0;
}

void zygote_settings_free(struct zygote_settings *settings)
{
    policy_free(&settings->policy);
    name_list_free(&settings->skip);
    free(settings->venv);
    free(settings->sandbox.scratch);
    *settings = (struct zygote_settings){0};
}
