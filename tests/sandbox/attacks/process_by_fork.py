# ends: refused
# modules: os
import os
os.fork()
return 'ESCAPED: started'
