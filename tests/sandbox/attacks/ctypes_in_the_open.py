# ends: refused
# modules: ctypes
import ctypes
return ctypes.CDLL(None).getpid()
