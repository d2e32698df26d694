/* See venv.h. */
#include "pyvenv/venv.h"

#include <dirent.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/base/buf.h"
#include "runner/base/error.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

enum { SETTINGS_FILE_MAX = 1 << 16 }; /* bytes; pyvenv.cfg has a few lines */

static char *settings_file(const char *folder)
{
    return mem_format("%s/pyvenv.cfg", folder);
}

static bool is_venv(const char *folder)
{
    AUTO_FREE char *settings = settings_file(folder);

    return access(settings, R_OK) == 0;
}

static bool take(struct venv *venv, const char *folder, enum venv_source source)
{
    char *real = is_venv(folder) ? realpath(folder, NULL) : NULL;

    if (!real)
        return false;
    *venv = (struct venv){.folder = real, .source = source};
    return true;
}

/* X of X/bin/NAME. NULL when the path has no such shape; free(). */
static char *folder_around(const char *path)
{
    static const char bin[] = "/bin";
    const char *name = path ? strrchr(path, '/') : NULL;
    size_t length = name ? (size_t)(name - path) : 0, end = sizeof(bin) - 1;

    if (length <= end || memcmp(path + length - end, bin, end) != 0)
        return NULL;
    return mem_dup_n(path, length - end);
}

int venv_find(struct venv *venv, const struct venv_places *places, struct error **err)
{
    AUTO_FREE char *beside = mem_format("%s/venv", places->program);
    AUTO_FREE char *around = folder_around(places->invoked_as);
    struct stat there;

    *venv = (struct venv){0};
    if (places->setting) {
        if (take(venv, places->setting, VENV_SETTING))
            return 0;
        return error_set(err,
                         "N8N_RUNNERS_PYTHON_VENV is `%s`: there is no virtual environment (no "
                         "pyvenv.cfg that can be read); build one, or unset it",
                         places->setting);
    }
    if (take(venv, beside, VENV_BESIDE))
        return 0;
    if (lstat(beside, &there) == 0)
        return error_set(err,
                         "`%s` is no virtual environment (no pyvenv.cfg that can be read): run "
                         "`make venv`, or remove it",
                         beside);
    if (around)
        take(venv, around, VENV_AROUND);
    return 0;
}

void venv_free(struct venv *venv)
{
    free(venv->folder);
    *venv = (struct venv){0};
}

/* ---- what is in it ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), size = strlen(end);

    return length > size && strcmp(text + length - size, end) == 0;
}

static size_t count_in(const char *site_packages)
{
    DIR *folder = opendir(site_packages);
    size_t count = 0;

    for (struct dirent *entry; folder && (entry = readdir(folder));)
        count += ends_with(entry->d_name, ".dist-info");
    if (folder)
        closedir(folder);
    return count;
}

static size_t count_packages(const char *folder)
{
    AUTO_FREE char *pattern = mem_format("%s/lib/python3*/site-packages", folder);
    glob_t found = {0};
    size_t count = 0;

    if (glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            count += count_in(found.gl_pathv[i]);
    globfree(&found);
    return count;
}

char *venv_text(const struct venv *venv)
{
    static const char *const how[] = {
        [VENV_NONE] = "",
        [VENV_SETTING] = "N8N_RUNNERS_PYTHON_VENV",
        [VENV_BESIDE] = "beside the program",
        [VENV_AROUND] = "around the program",
    };
    size_t count = venv->folder ? count_packages(venv->folder) : 0;

    if (!venv->folder)
        return mem_dup("none: there is no virtual environment");
    return mem_format("%zu in `%s` (%s)", count, venv->folder, how[venv->source]);
}

/* ---- what it was made for ---- */

/* The value after `key` and `=`, at the start of a line. Borrowed, ends with its line. */
static const char *value_of(const char *text, const char *key)
{
    size_t length = strlen(key);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        const char *value;

        line += *line == '\n';
        if (strncmp(line, key, length) != 0)
            continue;
        value = line + length + strspn(line + length, " \t");
        if (*value == '=')
            return value + 1 + strspn(value + 1, " \t");
    }
    return NULL;
}

/* "3.11.2" as 3 and 11; -1 when it begins otherwise. */
static int read_version(const char *text, int *major, int *minor)
{
    char *dot, *end;

    *major = (int)strtol(text, &dot, 10);
    if (dot == text || *dot != '.')
        return -1;
    *minor = (int)strtol(dot + 1, &end, 10);
    return end == dot + 1 ? -1 : 0;
}

int venv_check(const char *folder, int major, int minor, struct error **err)
{
    AUTO_FREE char *path = settings_file(folder);
    AUTO_BUF struct buf text = {0};
    const char *version, *system;
    int its_major, its_minor;

    if (io_read_file(path, SETTINGS_FILE_MAX, &text, err) < 0)
        return -1;
    buf_add_char(&text, '\0');
    if (buf_failed(&text))
        return error_set(err, "no memory for `%s`", path);
    system = value_of(text.data, "include-system-site-packages");
    if (system && strncasecmp(system, "true", 4) == 0)
        return error_set(err,
                         "`%s` takes the system's packages along (include-system-site-packages in "
                         "its pyvenv.cfg), which tasks never get: build one without them",
                         folder);
    version = value_of(text.data, "version"); /* venv's own */
    if (!version)
        version = value_of(text.data, "version_info"); /* other tools' */
    if (!version || read_version(version, &its_major, &its_minor) < 0)
        return 0; /* CPython will see for itself */
    if (its_major == major && its_minor == minor)
        return 0;
    return error_set(err,
                     "`%s` is a virtual environment of Python %d.%d, and this runner embeds Python "
                     "%d.%d: build it anew with that one (`make venv`), or name another in "
                     "N8N_RUNNERS_PYTHON_VENV",
                     folder, its_major, its_minor, major, minor);
}
