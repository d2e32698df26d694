# ends: refused
# modules: os
import os
os.truncate('{SECRET}', 0)
return 'ESCAPED: written'
