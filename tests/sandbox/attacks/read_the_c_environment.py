# ends: refused
# modules: ctypes
import ctypes
value = ctypes.CDLL(None).getenv(b"N8N_RUNNERS_AUTH_TOKEN")
return "ESCAPED: it has the token" if value else "nothing"
