# ends: safe
# modules: _posixsubprocess,os
import _posixsubprocess, os
args = [[b"/bin/sh"], (b"/bin/sh",), True, (), None, None, -1, -1, -1, -1, -1, -1, -1, -1, False, False]
for more in ([0, None, None, None, -1, None], [0, None, None, None, -1, None, True]):
    try:
        pid = _posixsubprocess.fork_exec(*args, *more)
        return "ESCAPED: process %d" % pid
    except (TypeError, OSError):
        pass
return "nothing"
