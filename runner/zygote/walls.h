/* Which walls stand on this system, which do not, and why. */
#ifndef ZYGOTE_WALLS_H
#define ZYGOTE_WALLS_H

#include <stdbool.h>

struct buf;

enum wall {
    WALL_SECCOMP,
    WALL_LANDLOCK,
    WALL_NAMESPACES,
    WALL_ROOT,
    WALL_CAPABILITIES,
    WALL_MEMORY,
    WALL_THREADS,
    WALL_OOM,
    WALL_NO_NEW_CODE,
    WALLS,
};

struct walls {
    struct {
        bool stands;
        char *detail; /* how, or why not and what would change it; owned */
    } of[WALLS];
};

void __attribute__((format(printf, 4, 5)))
walls_set(struct walls *walls, enum wall wall, bool stands, const char *format, ...);
bool walls_stand(const struct walls *walls, enum wall wall);
const char *walls_detail(const struct walls *walls, enum wall wall);

/* One line: what stands, and what does not. Appended. */
void walls_say(const struct walls *walls, struct buf *line);
/* The same as a JSON array: name, stands, detail. Appended. */
void walls_list(const struct walls *walls, struct buf *json);

#endif
