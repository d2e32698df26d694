# ends: refused
# modules: os
import os
os.open('{FOLDER}/new', os.O_CREAT | os.O_WRONLY)
return 'ESCAPED: written'
