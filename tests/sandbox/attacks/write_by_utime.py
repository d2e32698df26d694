# ends: refused
# modules: os
import os
os.utime('{SECRET}', (0, 0))
return 'ESCAPED: written'
