# ends: safe
# modules: os
import os
for act in (lambda: os.setpriority(os.PRIO_PROCESS, os.getppid(), 19), lambda: os.sched_setaffinity(os.getppid(), [0]),
            lambda: os.sched_setscheduler(os.getppid(), os.SCHED_IDLE, os.sched_param(0)), lambda: os.nice(5)):
    try:
        act()
        return "ESCAPED: changed"
    except OSError:
        pass
return "nothing"
