# ends: safe
# modules: os,signal
import os, signal
sent = []
for pid in [-1, 0, 1, 2, os.getppid(), os.getpgrp(), -os.getpgrp()] + list(range(1, 300)):
    if pid == os.getpid():
        continue
    try:
        os.kill(pid, 0)
        sent.append(pid)
    except OSError:
        pass
return "ESCAPED: %s" % sent if sent else "nothing"
