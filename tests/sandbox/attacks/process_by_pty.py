# ends: refused
# modules: pty
import pty
pty.spawn('id')
return 'ESCAPED: started'
