/*
 * The imports that the zygote makes ahead of the tasks, as the host sees them: says when one takes
 * long, gives up on one that takes too long, and remembers which modules are not fit for it, so
 * that the next zygote leaves them to the tasks.
 */
#ifndef HOST_IMPORTS_H
#define HOST_IMPORTS_H

#include <stdbool.h>

struct imports;
struct loop;

/* `give_up` is called when an import takes too long: it must end the zygote. imports_drop(). */
struct imports *imports_new(struct loop *loop, void (*give_up)(void *owner), void *owner);
void imports_drop(struct imports **imports);

/* The modules to leave out, separated by commas. Borrowed, until the next call of imports_unfit().
 */
const char *imports_skipped(const struct imports *imports);

/* A zygote begins to import `module`; "": it has made all of its imports. */
void imports_begin(struct imports *imports, const char *module);
/* `module` is not to be imported ahead; `why` is a clause. Logs it. */
void imports_unfit(struct imports *imports, const char *module, const char *why);
/* The zygote is ready, or gone. Has it found any unfit? */
bool imports_over(struct imports *imports);

#endif
