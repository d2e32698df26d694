# ends: refused
# modules: os
import os
os.remove('{SECRET}')
return 'ESCAPED: written'
