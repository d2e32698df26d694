/* See packages.h. */
#include "pyvenv/packages.h"

#include <ctype.h>
#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "runner/base/buf.h"
#include "runner/base/error.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

enum { RECORD_MAX = 64 << 20 }; /* bytes; the largest packages have a few */

static const char dist_info[] = ".dist-info";

/* ---- one distribution ---- */

static void add_module(struct package *package, const char *name, size_t length)
{
    if (!length || name[0] == '_' || memchr(name, '/', length))
        return;
    for (size_t i = 0; i < package->module_count; i++)
        if (strlen(package->modules[i]) == length && memcmp(package->modules[i], name, length) == 0)
            return;
    package->modules =
        mem_resize(package->modules, package->module_count + 1, sizeof(*package->modules));
    package->modules[package->module_count++] = mem_dup_n(name, length);
}

/* A line of RECORD begins with a path: `six.py`, `yaml/__init__.py`, `numpy-2.3.5.dist-info/…`. */
static void add_recorded(struct package *package, const char *line, size_t length)
{
    const char *comma = memchr(line, ',', length);
    size_t path = comma ? (size_t)(comma - line) : length;
    const char *slash = memchr(line, '/', path);
    size_t name = slash ? (size_t)(slash - line) : path;
    const char *dot = memchr(line, '.', name);

    if (slash ? !dot : dot && (memmem(line, path, ".py", 3) || memmem(line, path, ".so", 3)))
        add_module(package, line, slash ? name : (size_t)(dot - line));
}

static void each_line(const struct buf *text, struct package *package,
                      void (*add)(struct package *, const char *, size_t))
{
    const char *end = text->data + text->length;

    for (const char *line = text->data; line && line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((newline ? newline : end) - line);

        if (length && line[length - 1] == '\r')
            length--;
        add(package, line, length);
        line = newline ? newline + 1 : end;
    }
}

static bool read_lines(const char *folder, const char *file, struct package *package,
                       void (*add)(struct package *, const char *, size_t))
{
    AUTO_FREE char *path = mem_format("%s/%s", folder, file);
    AUTO_ERROR struct error *ignored = NULL;
    AUTO_BUF struct buf text = {0};

    if (io_read_file(path, RECORD_MAX, &text, &ignored) < 0)
        return false;
    each_line(&text, package, add);
    return true;
}

static void read_one(struct package *package, const char *folder, const char *name)
{
    AUTO_FREE char *requested = mem_format("%s/REQUESTED", folder);

    *package = (struct package){.name = mem_dup_n(name, strcspn(name, "-"))};
    package->requested = access(requested, F_OK) == 0;
    if (!read_lines(folder, "top_level.txt", package, add_module))
        read_lines(folder, "RECORD", package, add_recorded);
}

/* ---- all of them ---- */

static bool is_dist_info(const char *name)
{
    size_t length = strlen(name), end = sizeof(dist_info) - 1;

    return length > end && strcmp(name + length - end, dist_info) == 0;
}

void packages_read(struct packages *packages, const char *site_packages)
{
    DIR *folder = opendir(site_packages);

    *packages = (struct packages){0};
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        AUTO_FREE char *path = mem_format("%s/%s", site_packages, entry->d_name);

        if (!is_dist_info(entry->d_name))
            continue;
        packages->at = mem_resize(packages->at, packages->count + 1, sizeof(*packages->at));
        read_one(&packages->at[packages->count++], path, entry->d_name);
    }
    if (folder)
        closedir(folder);
}

void packages_free(struct packages *packages)
{
    for (size_t i = 0; i < packages->count; i++) {
        struct package *package = &packages->at[i];

        for (size_t module = 0; module < package->module_count; module++)
            free(package->modules[module]);
        free(package->modules);
        free(package->name);
    }
    free(packages->at);
    *packages = (struct packages){0};
}

static bool is_separator(char c)
{
    return c == '-' || c == '_' || c == '.';
}

static bool same_name(const char *a, const char *b)
{
    while (*a && *b) {
        if (is_separator(*a) && is_separator(*b)) {
            a += strspn(a, "-_.");
            b += strspn(b, "-_.");
        } else if (tolower((unsigned char)*a++) != tolower((unsigned char)*b++)) {
            return false;
        }
    }
    return !*a && !*b;
}

const struct package *packages_named(const struct packages *packages, const char *name)
{
    for (size_t i = 0; i < packages->count; i++)
        if (same_name(packages->at[i].name, name))
            return &packages->at[i];
    return NULL;
}
