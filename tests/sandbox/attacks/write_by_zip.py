# ends: refused
# modules: zipfile
import zipfile
zipfile.ZipFile('{FOLDER}/new.zip', 'w')
return 'ESCAPED: written'
