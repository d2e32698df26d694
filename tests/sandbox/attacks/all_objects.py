# ends: refused
# modules: gc
import gc
return '%d' % len(gc.get_objects())
