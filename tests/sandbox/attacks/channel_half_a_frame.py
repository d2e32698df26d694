# ends: safe
# plain: killed
# only: plain
import os, time
os.write(3, b'\x05\0\0\0')
time.sleep(60)
