# ends: error
# modules: shelve
import shelve
shelve.open('{FOLDER}/new')
return 'ESCAPED: written'
