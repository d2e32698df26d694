# ends: error
# modules: tokenize
import tokenize
return 'ESCAPED: ' + tokenize.open('{SECRET}').read()
