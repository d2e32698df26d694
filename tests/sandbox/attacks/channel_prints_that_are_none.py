# ends: safe
# only: plain
import os, struct
def frame(kind, payload, length=None):
    os.write(3, struct.pack("=IIQ", kind, 0, len(payload) if length is None else length) + payload)
frame(2, b'{"a":1}')
frame(2, b'[1,2]')
frame(2, b'[')
return 2
