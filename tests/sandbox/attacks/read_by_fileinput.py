# ends: error
# modules: fileinput
import fileinput
return 'ESCAPED: %s' % list(fileinput.input('{SECRET}'))
