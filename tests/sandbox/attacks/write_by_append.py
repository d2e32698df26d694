# ends: refused
# modules: io
import io
io.open('{SECRET}', 'a').write('x')
return 'ESCAPED: written'
