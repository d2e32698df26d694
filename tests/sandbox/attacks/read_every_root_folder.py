# ends: safe
# modules: os
import os
walls = 0
for folder in ("/", "/etc", "/root", "/home", "/var", "/run", "/srv", "/opt", "/boot", "/dev", "/proc", "/sys", "/tmp"):
    try:
        os.listdir(folder)
    except OSError:
        walls += 1
return "ESCAPED: a listing" if walls < 13 else "nothing"
