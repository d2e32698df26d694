# ends: refused
# modules: os
import os
os.posix_spawn('/bin/sh', ['sh'], {})
return 'ESCAPED: started'
