# ends: error
# modules: io
import io
return 'ESCAPED: ' + io.open('/usr/lib/../..' + '{SECRET}').read()
