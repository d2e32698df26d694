# ends: error
# modules: sys,os
import sys, os
heard = []
sys.addaudithook(lambda event, args: heard.append(event))
try:
    os.listdir("/usr/lib")
except OSError:
    pass
if not heard:
    raise RuntimeError("it hears nothing")
return heard
