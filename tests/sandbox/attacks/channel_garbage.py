# ends: safe
# plain: error
# only: plain
import os
os.write(3, os.urandom(100000))
return 2
