# ends: safe
# plain: error
# only: plain
import os, struct
def frame(kind, payload, length=None):
    os.write(3, struct.pack("=IIQ", kind, 0, len(payload) if length is None else length) + payload)
frame(6, b'{"kind":1,"message":2}')
return 2
