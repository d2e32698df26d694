# ends: error
# modules: codecs
import codecs
return 'ESCAPED: ' + codecs.open('{SECRET}').read()
