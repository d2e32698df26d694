/* Capabilities and the out-of-memory score; see privileges.h. */
#include "runner/zygote/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runner/base/io.h"

int privileges_drop(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

    /* the bounding set ends at the first number that the kernel does not know; without
     * CAP_SETPCAP it stays, and no_new_privs makes it meaningless */
    for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
         capability++)
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
            break;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
        return -1;
    return syscall(SYS_capset, &header, none) < 0 ? -1 : 0;
}

int oom_open(void)
{
    return open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
}

void oom_set(int fd, int score)
{
    char text[16];
    int length = snprintf(text, sizeof(text), "%d", score);

    if (fd >= 0)
        (void)!io_write(fd, text, (size_t)length);
}
