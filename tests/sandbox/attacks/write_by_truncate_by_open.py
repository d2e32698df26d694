# ends: refused
# modules: os
import os
os.open('{SECRET}', os.O_RDONLY | os.O_TRUNC)
return 'ESCAPED: written'
