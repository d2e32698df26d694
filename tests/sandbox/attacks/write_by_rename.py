# ends: refused
# modules: os
import os
os.rename('{SECRET}', '{FOLDER}/moved')
return 'ESCAPED: written'
