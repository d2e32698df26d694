# ends: safe
# modules: glob
import glob
found = glob.glob('{FOLDER}/*')
return 'ESCAPED: %s' % found if found else 'nothing'
