/* See walls.h. */
#include "runner/zygote/walls.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runner/base/buf.h"
#include "runner/base/json_string.h"
#include "runner/base/mem.h"

static const char *const wall_names[WALLS] = {
    [WALL_SECCOMP] = "seccomp",
    [WALL_LANDLOCK] = "Landlock",
    [WALL_NAMESPACES] = "namespaces",
    [WALL_ROOT] = "own root",
    [WALL_CAPABILITIES] = "no capabilities",
    [WALL_MEMORY] = "memory limit",
    [WALL_THREADS] = "thread limit",
    [WALL_OOM] = "out-of-memory order",
    [WALL_NO_NEW_CODE] = "no new code",
};

void walls_set(struct walls *walls, enum wall wall, bool stands, const char *format, ...)
{
    char text[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    walls->of[wall].stands = stands;
    free(walls->of[wall].detail);
    walls->of[wall].detail = mem_dup(text);
}

bool walls_stand(const struct walls *walls, enum wall wall)
{
    return walls->of[wall].stands;
}

const char *walls_detail(const struct walls *walls, enum wall wall)
{
    return walls->of[wall].detail;
}

void walls_say(const struct walls *walls, struct buf *line)
{
    static const enum wall said[] = {WALL_SECCOMP, WALL_LANDLOCK, WALL_NAMESPACES, WALL_ROOT,
                                     WALL_NO_NEW_CODE};
    AUTO_BUF struct buf missing = {0};
    size_t standing = 0;

    for (size_t i = 0; i < ARRAY_COUNT(said); i++) {
        if (walls_stand(walls, said[i]))
            buf_add_format(line, "%s%s", standing++ ? ", " : "", wall_names[said[i]]);
        else
            buf_add_format(&missing, "%s%s", missing.length ? ", " : "", wall_names[said[i]]);
    }
    if (!standing)
        buf_add_text(line, "none");
    if (missing.length)
        buf_add_format(line, "; not here: %.*s", (int)missing.length, missing.data);
}

void walls_list(const struct walls *walls, struct buf *json)
{
    buf_add_char(json, '[');
    for (int wall = 0; wall < WALLS; wall++) {
        const char *detail = walls->of[wall].detail;

        buf_add_format(json, "%s{\"name\":\"%s\",\"stands\":%s,\"detail\":", wall ? "," : "",
                       wall_names[wall], walls->of[wall].stands ? "true" : "false");
        json_string_add(json, detail, strlen(detail));
        buf_add_char(json, '}');
    }
    buf_add_char(json, ']');
}
