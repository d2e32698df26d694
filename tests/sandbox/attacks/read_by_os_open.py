# ends: refused
# modules: os
import os
return 'ESCAPED: %s' % os.read(os.open('{SECRET}', os.O_RDONLY), 100)
