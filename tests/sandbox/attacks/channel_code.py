# ends: check
# plain: error
# compiled code for others, from a child that has its items already
import marshal
import os
import struct

code = marshal.dumps(compile("ESCAPED", "<code>", "eval"))
os.write(3, struct.pack("=IIQ", 9, 0, len(code)) + code)
return 1
