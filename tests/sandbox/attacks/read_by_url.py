# ends: error
# modules: urllib
import urllib.request
return 'ESCAPED: %s' % urllib.request.urlopen('file://{SECRET}').read()
