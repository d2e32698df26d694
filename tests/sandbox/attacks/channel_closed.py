# ends: safe
# plain: error
# only: plain
import os
os.close(3)
return 2
