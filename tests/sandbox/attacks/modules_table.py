# ends: error
# modules: sys
import sys
return sys.modules['os'].system('id')
