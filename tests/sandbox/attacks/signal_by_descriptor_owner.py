# ends: safe
# modules: fcntl,os,socket
import fcntl, os, socket
a, b = socket.socketpair()
for command, value in ((8, os.getppid()), (10, 9), (15, os.getppid())):
    try:
        fcntl.fcntl(a.fileno(), command, value)
        return "ESCAPED: owns"
    except OSError:
        pass
for request in (0x8901, 0x8902, 0x5452):
    try:
        fcntl.ioctl(a.fileno(), request, b"\1\0\0\0")
        return "ESCAPED: controls"
    except OSError:
        pass
return "nothing"
