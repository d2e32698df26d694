# ends: refused
# modules: string
import string
t = '{0.__cla' + chr(115) + 's__}'
return string.Formatter().format(t, 0)
