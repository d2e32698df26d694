# ends: safe
# modules: os
import os
for name in ("maps", "mem", "environ", "cmdline", "fd", "root", "cwd"):
    for who in ("self", str(os.getppid()), "1", "thread-self"):
        path = "/proc/%s/%s" % (who, name)
        for act in (lambda: os.read(os.open(path, os.O_RDONLY), 10), lambda: os.listdir(path)):
            try:
                return "ESCAPED: %s has %s" % (path, act())
            except OSError:
                pass
return "nothing"
