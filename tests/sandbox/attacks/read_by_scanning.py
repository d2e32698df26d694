# ends: refused
# modules: os
import os
return 'ESCAPED: %s' % [e.name for e in os.scandir('{FOLDER}')]
