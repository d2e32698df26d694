# ends: refused
# modules: os
import os
os.forkpty()
return 'ESCAPED: started'
