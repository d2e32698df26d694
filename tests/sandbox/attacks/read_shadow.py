# ends: refused
# modules: io
import io
return 'ESCAPED: ' + io.open('/etc/shadow').read()
