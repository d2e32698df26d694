/* What counts as memory that is left. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/host/memory.h"
#include "tests/unit/unit.h"

static char root[64];

static int new_root(void **state)
{
    (void)state;
    strcpy(root, "/tmp/memory-test-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    AUTO_FREE char *command = mem_format("rm -r %s", root);

    (void)state;
    return system(command);
}

/* Makes a file below the root, and its folders. */
static void file(const char *path, const char *text)
{
    AUTO_FREE char *full = mem_format("%s%s", root, path);
    AUTO_CLOSE int fd = -1;

    for (char *slash = strchr(full + strlen(root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(full, 0700);
        *slash = '/';
    }
    fd = open(full, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
}

static void machine(void)
{
    file("/proc/meminfo",
         "MemTotal:       1000000 kB\nMemFree: 1 kB\nMemAvailable:    500000 kB\n");
}

static void the_machines_memory_counts_when_nothing_else_limits(void **state)
{
    struct memory memory;

    (void)state;
    machine();
    assert_true(memory_read(root, &memory));
    assert_int_equal(memory.left, 500000LL * 1024);
    assert_int_equal(memory.total, 1000000LL * 1024);
    assert_false(memory_is_short(&memory));
}

static void a_cgroup_of_version_2_counts_without_its_cache(void **state)
{
    struct memory memory;

    (void)state;
    machine();
    file("/proc/self/cgroup", "0::/a/b\n");
    file("/sys/fs/cgroup/a/b/memory.max", "max\n");
    file("/sys/fs/cgroup/a/b/memory.current", "1\n");
    file("/sys/fs/cgroup/a/memory.max", "104857600\n");
    file("/sys/fs/cgroup/a/memory.current", "100000000\n");
    file("/sys/fs/cgroup/a/memory.stat", "anon 5\ninactive_file 10000000\nfile 7\n");
    assert_true(memory_read(root, &memory));
    assert_int_equal(memory.left, 104857600 - 90000000);
    assert_int_equal(memory.total, 104857600);
    assert_true(memory_is_short(&memory));
}

static void a_cgroup_of_version_1_counts(void **state)
{
    struct memory memory;

    (void)state;
    machine();
    file("/proc/self/cgroup", "5:cpu:/x\n4:memory:/a\n0::/\n");
    file("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "209715200\n");
    file("/sys/fs/cgroup/memory/a/memory.usage_in_bytes", "52428800\n");
    file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    file("/sys/fs/cgroup/memory/memory.usage_in_bytes", "900000000000\n");
    assert_true(memory_read(root, &memory));
    assert_int_equal(memory.left, 157286400);
    assert_int_equal(memory_short_in(&memory), (157286400 - (16 << 20)) / 2000);
}

static void nothing_to_read_is_said(void **state)
{
    struct memory memory;

    (void)state;
    assert_false(memory_read(root, &memory));
}

static void a_process_is_read(void **state)
{
    struct process_use use;

    (void)state;
    file("/proc/7/status", "Name:\tVmRSS: 3\nVmRSS:\t   2048 kB\nThreads:\t12\n");
    assert_true(memory_of_process(root, 7, &use));
    assert_int_equal(use.resident, 2048 * 1024);
    assert_int_equal(use.threads, 12);
    assert_false(memory_of_process(root, 8, &use));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_machines_memory_counts_when_nothing_else_limits,
                                        new_root, remove_root),
        cmocka_unit_test_setup_teardown(a_cgroup_of_version_2_counts_without_its_cache, new_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(a_cgroup_of_version_1_counts, new_root, remove_root),
        cmocka_unit_test_setup_teardown(nothing_to_read_is_said, new_root, remove_root),
        cmocka_unit_test_setup_teardown(a_process_is_read, new_root, remove_root),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
