# ends: refused
t = '{0.__cla' + chr(115) + 's__}'
return t.format(0)
