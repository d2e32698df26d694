# ends: error
# modules: gzip
import gzip
return 'ESCAPED: %s' % gzip.open('{SECRET}').read()
