# ends: safe
# modules: os
import os
held = []
try:
    while True:
        held.append(os.dup(1))
except OSError:
    return len(held) if len(held) < 2000 else "ESCAPED: %d" % len(held)
