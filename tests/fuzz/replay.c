/*
 * Runs a fuzz target over inputs that are kept, once each, without libFuzzer: any compiler will do.
 *
 *   TARGET [FILE or FOLDER...]     default: tests/fuzz/corpus/TARGET
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runner/base/buf.h"
#include "runner/base/error.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 1 << 26 };

/* The name, for whoever looks into a core; the input, in a block of its own size, so that a read
 * beyond its end is seen. */
static int run_file(const char *path)
{
    AUTO_ERROR struct error *err = NULL;
    AUTO_BUF struct buf content = {0};
    uint8_t *input;

    if (io_read_file(path, INPUT_MAX, &content, &err) < 0) {
        fprintf(stderr, "%s\n", error_text(err));
        return -1;
    }
    fprintf(stderr, "%s\n", path);
    input = malloc(content.length ? content.length : 1);
    if (!input)
        return -1;
    if (content.length)
        memcpy(input, content.data, content.length);
    LLVMFuzzerTestOneInput(input, content.length);
    free(input);
    return 1;
}

/* How many inputs were run; -1: something could not be read. */
static int run_path(const char *path)
{
    struct dirent **entries;
    struct stat about;
    int count, runs = 0;

    if (stat(path, &about) == 0 && !S_ISDIR(about.st_mode))
        return run_file(path);
    count = scandir(path, &entries, NULL, alphasort);
    if (count < 0)
        perror(path);
    for (int i = 0; i < count; i++) {
        AUTO_FREE char *inside = mem_format("%s/%s", path, entries[i]->d_name);

        if (runs >= 0 && entries[i]->d_name[0] != '.')
            runs = run_file(inside) < 0 ? -1 : runs + 1;
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return count < 0 ? -1 : runs;
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash ? slash + 1 : argv[0];
    AUTO_FREE char *folder = mem_format("tests/fuzz/corpus/%s", name);
    int total = 0;

    for (int i = 1; i < argc || i == 1; i++) {
        int runs = run_path(argc > 1 ? argv[i] : folder);

        if (runs < 0)
            return 1;
        total += runs;
    }
    if (total)
        printf("[       OK ] %s: %d inputs\n", name, total);
    return total ? 0 : 1;
}
