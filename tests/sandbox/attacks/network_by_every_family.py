# ends: safe
# modules: socket
import socket
made = []
for family in range(0, 46):
    for kind in (1, 2, 3, 4, 5, 6, 10):
        try:
            made.append((family, kind, socket.socket(family, kind, 0).fileno()))
        except OSError:
            pass
        try:
            pair = socket.socketpair(family, kind)
            if (family, kind) != (1, 1):
                made.append(("pair", family, kind))
        except (OSError, ValueError):
            pass
return "ESCAPED: %s" % made if made else "nothing"
