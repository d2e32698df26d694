/*
 * What `check` tries in a real child, behind real walls, instead of believing what was asked for.
 */
#ifndef ZYGOTE_PROBE_H
#define ZYGOTE_PROBE_H

struct buf;
struct sandbox;
struct zygote_settings;

/*
 * Appends a JSON object: `walls` (see sandbox_list()), `attempts` (see attempts.h) and `packages`,
 * every one that tasks may import: name, works, ahead (it is there when a task starts),
 * milliseconds (of its import), missing (there is no such module), error, pip (the name
 * to install it by).
 */
void probe_all(struct buf *json, const struct sandbox *sandbox,
               const struct zygote_settings *settings);

#endif
