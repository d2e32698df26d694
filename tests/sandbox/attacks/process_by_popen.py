# ends: refused
# modules: os
import os
os.popen('id').read()
return 'returned'
