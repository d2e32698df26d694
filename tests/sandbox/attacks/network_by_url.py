# ends: refused
# plain: error
# modules: urllib
import urllib.request
urllib.request.urlopen('http://127.0.0.1:{PORT}/healthz')
return 'ESCAPED: connected'
