# ends: safe
# plain: error
# only: plain
import os, struct
def frame(kind, payload, length=None):
    os.write(3, struct.pack("=IIQ", kind, 0, len(payload) if length is None else length) + payload)
frame(7, b'[]},"taskId":"ESCAPED","x":')
frame(5, b'{"y":1')
return 2
