# ends: safe
# only: plain
import os, struct
def frame(kind, payload, length=None):
    os.write(3, struct.pack("=IIQ", kind, 0, len(payload) if length is None else length) + payload)
for i in range(200000):
    frame(2, b'["x"]')
return 2
