# ends: safe
# modules: os,json
import os, json
folder = os.path.dirname(json.__file__)
for path in (folder + "/evil.py", folder + "/__pycache__/evil.pyc", "/usr/lib/evil", "/dev/shm/evil"):
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        return "ESCAPED: " + path
    except OSError:
        pass
return "nothing"
