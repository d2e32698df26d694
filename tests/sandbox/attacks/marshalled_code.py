# ends: refused
# modules: marshal
import marshal
return marshal.loads(b'c')
