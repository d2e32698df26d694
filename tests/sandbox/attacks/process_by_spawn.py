# ends: refused
# modules: os
import os
os.spawnv(os.P_WAIT, '/bin/sh', ['sh'])
return 'returned'
