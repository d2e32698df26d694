# ends: safe
# modules: os
import os
for act in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setgroups([0]), lambda: os.setsid(), lambda: os.setpgid(0, 0),
            lambda: os.chroot("/"), lambda: os.fchdir(0), lambda: os.getxattr("/usr/lib", "user.x")):
    try:
        act()
        return "ESCAPED: it may"
    except OSError:
        pass
return "nothing"
