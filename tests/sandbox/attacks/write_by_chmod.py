# ends: refused
# modules: os
import os
os.chmod('{SECRET}', 0)
return 'ESCAPED: written'
