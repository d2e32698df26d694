# ends: safe
# modules: configparser
import configparser
p = configparser.RawConfigParser(allow_no_value=True, delimiters=['='])
found = p.read('{SECRET}')
return 'ESCAPED: read' if found else 'nothing'
