# ends: killed
# plain: killed
# modules: os,signal
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
