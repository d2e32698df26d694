# ends: safe
# modules: linecache
import linecache
text = linecache.getlines('{SECRET}')
return 'ESCAPED: %s' % text if text else 'nothing'
