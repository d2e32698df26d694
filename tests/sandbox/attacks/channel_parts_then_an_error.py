# ends: safe
# plain: error
# only: plain
import os, struct
def frame(kind, payload, length=None):
    os.write(3, struct.pack("=IIQ", kind, 0, len(payload) if length is None else length) + payload)
frame(7, b'[1,')
raise ValueError("after a part")
