# ends: safe
# modules: os,resource
import os, resource
for pid in (1, 2, os.getppid()):
    try:
        resource.prlimit(pid, resource.RLIMIT_CPU, (1, 1))
        return "ESCAPED: limited %d" % pid
    except OSError:
        pass
return "nothing"
