# ends: refused
# modules: logging
import logging
logging.FileHandler('{FOLDER}/new.log')
return 'ESCAPED: written'
