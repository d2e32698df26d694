# ends: refused
# modules: sys
import sys
sys.settrace(lambda *a: None)
return 'traces'
