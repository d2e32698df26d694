# ends: refused
# modules: ctypes
import ctypes
return ctypes.string_at(id(0), 8)
