# ends: refused
# modules: os
import os
os.rmdir('{FOLDER}/empty')
return 'ESCAPED: written'
