# ends: refused
# plain: error
# modules: http
import http.client
http.client.HTTPConnection('127.0.0.1', {PORT}).request('GET', '/')
return 'ESCAPED: connected'
