# ends: safe
# plain: any
# only: plain
import os, struct
def frame(kind, payload, length=None):
    os.write(3, struct.pack("=IIQ", kind, 0, len(payload) if length is None else length) + payload)
frame(5, b'"first"')
frame(5, b'"second"')
return 'third'
