# ends: refused
# modules: os
import os
return 'ESCAPED: %s' % os.listdir('{FOLDER}')
