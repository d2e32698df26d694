# ends: safe
# plain: killed
# only: plain
import os, struct
def frame(kind, payload, length=None):
    os.write(3, struct.pack("=IIQ", kind, 0, len(payload) if length is None else length) + payload)
while True:
    frame(7, b'')
