# ends: safe
# modules: socket
import socket
a, b = socket.socketpair()
try:
    a.connect("/run/docker.sock")
    return "ESCAPED: connected"
except OSError:
    pass
try:
    a.sendto(b"x", "/dev/log")
    return "ESCAPED: sent"
except OSError:
    return "nothing"
