# ends: error
# modules: xml
import xml.etree.ElementTree as e
return 'ESCAPED: %s' % e.parse('{SECRET}')
