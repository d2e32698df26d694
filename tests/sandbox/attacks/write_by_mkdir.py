# ends: refused
# modules: os
import os
os.mkdir('{FOLDER}/new')
return 'ESCAPED: written'
