# ends: refused
# modules: os
import os
os.link('{SECRET}', '{FOLDER}/hard')
return 'ESCAPED: written'
