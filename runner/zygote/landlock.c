/* The kernel's wall around files; see landlock.h. */
#include "runner/zygote/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runner/base/error.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

/* <linux/landlock.h> of an older system lacks the newer half of this; the kernel's interface is
 * the same on every machine. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

enum {
    CREATE_RULESET_VERSION = 1,
    RULE_PATH_BENEATH = 1,
};

enum access {
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIR = 1 << 3,
    REMOVE_DIR = 1 << 4,
    REMOVE_FILE = 1 << 5,
    MAKE_DIR = 1 << 7,
    MAKE_REG = 1 << 8,
    MAKE_SYM = 1 << 12,
    REFER = 1 << 13,    /* version 2 */
    TRUNCATE = 1 << 14, /* version 3 */

    ACCESS_1 = (1 << 13) - 1, /* all that the version knows */
    ACCESS_2 = ACCESS_1 | REFER,
    ACCESS_3 = ACCESS_2 | TRUNCATE,
    ACCESS_5 = ACCESS_3 | 1 << 15, /* ioctl of devices */

    READ = READ_FILE | READ_DIR,
    SCRATCH = READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SYM |
              REFER | TRUNCATE,
    OF_A_FILE = READ_FILE | WRITE_FILE | TRUNCATE, /* what a rule for no folder may have */
};

enum { BIND_TCP = 1, CONNECT_TCP = 2 };             /* version 4 */
enum { SCOPE_ABSTRACT_UNIX = 1, SCOPE_SIGNAL = 2 }; /* version 6 */

struct ruleset_attributes {
    uint64_t access_fs, access_net, scoped;
};

struct path_rule {
    uint64_t access;
    int32_t parent;
} __attribute__((packed));

int landlock_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

    return version < 0 ? 0 : (int)version;
}

static uint64_t access_of(int version)
{
    if (version >= 5)
        return ACCESS_5;
    if (version >= 3)
        return ACCESS_3;
    return version == 2 ? ACCESS_2 : ACCESS_1;
}

/* The kernel takes a longer structure than it knows as long as what it does not know is 0. */
static struct ruleset_attributes attributes(int version, bool network)
{
    struct ruleset_attributes a = {.access_fs = access_of(version)};

    if (version >= 4)
        a.access_net = network ? BIND_TCP : BIND_TCP | CONNECT_TCP;
    if (version >= 6)
        a.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
    return a;
}

static int open_path(int rules, const char *path, uint64_t access, struct error **err)
{
    AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
    struct stat info;
    struct path_rule rule = {.access = access, .parent = fd};

    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES
                   ? 0
                   : error_set_errno(err, errno, "open `%s` for a Landlock rule", path);
    if (fstat(fd, &info) < 0)
        return error_set_errno(err, errno, "look at `%s`", path);
    if (!S_ISDIR(info.st_mode))
        rule.access &= OF_A_FILE;
    if (syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &rule, 0) < 0)
        return error_set_errno(err, errno, "add a Landlock rule for `%s`", path);
    return 0;
}

int landlock_make(const struct landlock_options *options, struct error **err)
{
    int version = landlock_version();
    struct ruleset_attributes all = attributes(version, options->network);
    AUTO_CLOSE int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);

    if (rules < 0)
        return error_set_errno(err, errno, "make Landlock rules");
    for (size_t i = 0; i < options->readable_count; i++)
        if (open_path(rules, options->readable[i], READ, err) < 0)
            return -1;
    if (open_path(rules, "/dev/null", (READ_FILE | WRITE_FILE | TRUNCATE) & all.access_fs, err) < 0)
        return -1;
    if (options->scratch && open_path(rules, options->scratch, SCRATCH & all.access_fs, err) < 0)
        return -1;
    return io_steal(&rules);
}

int landlock_enter(int rules)
{
    return syscall(SYS_landlock_restrict_self, rules, 0) < 0 ? -1 : 0;
}
