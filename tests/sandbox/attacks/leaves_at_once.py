# ends: error
# plain: error
# modules: os
import os
os._exit(0)
