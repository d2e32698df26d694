# ends: refused
# modules: os
import os
os.system('id')
return 'returned'
