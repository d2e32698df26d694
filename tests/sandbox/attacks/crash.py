# ends: refused
# plain: error
# modules: ctypes
import ctypes
ctypes.string_at(1)
