# ends: error
# plain: error
# modules: os
import os
os.abort()
