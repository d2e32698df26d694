/* See imports.h. */
#include "runner/host/imports.h"

#include <stdint.h>
#include <stdlib.h>

#include "runner/base/clock.h"
#include "runner/base/log.h"
#include "runner/base/mem.h"
#include "runner/host/loop.h"

/* Seconds: the heaviest packages take a few, cold; what takes a minute will not come to an end. */
enum { SAY_AFTER = 2, SAY_EVERY = 5, GIVE_UP_AFTER = 60 };

struct imports {
    void (*give_up)(void *owner);
    void *owner;
    struct timer *timer;
    char *module; /* whose import goes on, or NULL */
    int64_t began;
    bool given_up, found;
    char *skipped;
};

static void on_long(void *owner)
{
    struct imports *imports = owner;
    int seconds = (int)((clock_us() - imports->began) / 1000000);

    if (!imports->module)
        return;
    if (seconds >= GIVE_UP_AFTER) {
        imports->given_up = true;
        imports->give_up(imports->owner);
        return;
    }
    log_info("Importing %s ahead of the tasks: %d s so far", imports->module, seconds);
    timer_set(imports->timer, (int64_t)SAY_EVERY * 1000000);
}

struct imports *imports_new(struct loop *loop, void (*give_up)(void *owner), void *owner)
{
    struct imports *imports = mem_alloc(sizeof(*imports));

    *imports = (struct imports){.give_up = give_up, .owner = owner, .skipped = mem_dup("")};
    imports->timer = timer_new(loop, on_long, imports);
    return imports;
}

void imports_drop(struct imports **imports)
{
    struct imports *dropped = mem_steal(imports);

    if (!dropped)
        return;
    timer_drop(&dropped->timer);
    free(dropped->module);
    free(dropped->skipped);
    free(dropped);
}

const char *imports_skipped(const struct imports *imports)
{
    return imports->skipped;
}

void imports_begin(struct imports *imports, const char *module)
{
    free(imports->module);
    imports->module = *module ? mem_dup(module) : NULL;
    imports->began = clock_us();
    if (imports->module)
        timer_set(imports->timer, (int64_t)SAY_AFTER * 1000000);
    else
        timer_cancel(imports->timer);
}

void imports_unfit(struct imports *imports, const char *module, const char *why)
{
    AUTO_FREE char *too_long = mem_format("its import takes more than %d s", GIVE_UP_AFTER);
    char *skipped = mem_format("%s%s%s", imports->skipped, *imports->skipped ? "," : "", module);

    log_warn("%s is not imported ahead: %s. Tasks that import it do so themselves, each anew",
             module, imports->given_up ? too_long : why);
    free(imports->skipped);
    imports->skipped = skipped;
    imports->found = true;
    imports->given_up = false;
}

bool imports_over(struct imports *imports)
{
    bool found = imports->found;

    timer_cancel(imports->timer);
    free(mem_steal(&imports->module));
    imports->found = imports->given_up = false;
    return found;
}
