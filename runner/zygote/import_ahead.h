/* One import in the zygote, whose memory every task inherits: is the module fit for that? */
#ifndef ZYGOTE_IMPORT_AHEAD_H
#define ZYGOTE_IMPORT_AHEAD_H

struct error;

enum ahead {
    AHEAD_DONE,
    AHEAD_MISSING, /* there is no such module; nothing of it was run */
    AHEAD_UNFIT,   /* it failed halfway, or left what no fork carries over */
};

/* Imports `name` (dotted). Anything but AHEAD_DONE comes with the reason in `err`. After
 * AHEAD_UNFIT this process is not one to fork tasks from. */
enum ahead import_ahead(const char *name, struct error **err);

/* How long the import of `name` took, in milliseconds; below 0: it was not imported. */
double import_ahead_time(const char *name);

#endif
