# ends: refused
# modules: os
import os
os.symlink('{SECRET}', '{FOLDER}/link')
return 'ESCAPED: a link'
