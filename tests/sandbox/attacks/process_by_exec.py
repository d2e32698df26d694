# ends: refused
# modules: os
import os
os.execv('/bin/sh', ['sh'])
return 'ESCAPED: started'
