# ends: refused
# modules: subprocess
import subprocess
subprocess.run(['id'])
return 'ESCAPED: started'
