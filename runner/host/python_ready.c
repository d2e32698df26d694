/* See python_ready.h. */
#include "runner/host/python_ready.h"

#include <string.h>

#include "runner/base/log.h"
#include "runner/host/config.h"

static const char *next_line(const char *text)
{
    text += strcspn(text, "\n");
    return *text ? text + 1 : text;
}

void python_ready_log(const char *text, const struct config *config)
{
    const char *walls = next_line(text);

    log_info("Python %.*s is ready; walls: %.*s", (int)strcspn(text, "\n"), text,
             (int)strcspn(walls, "\n"), walls);
    if (config->sandbox == SANDBOX_CHOICE_OFF)
        log_warn(
            "N8N_RUNNERS_SANDBOX is `off`: the kernel's walls are down, and code that gets past "
            "the interpreter's can read this machine and reach its network");
    if (policy_is_plain(&config->policy))
        log_warn(
            "N8N_RUNNERS_STDLIB_ALLOW and N8N_RUNNERS_EXTERNAL_ALLOW are `*` and "
            "N8N_RUNNERS_BUILTINS_DENY is empty: tasks run plain Python, and only the kernel's "
            "walls hold them");
    for (const char *line = next_line(walls); *line; line = next_line(line))
        log_warn("%.*s", (int)strcspn(line, "\n"), line);
}
