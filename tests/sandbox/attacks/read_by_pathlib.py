# ends: error
# modules: pathlib
import pathlib
return 'ESCAPED: ' + pathlib.Path('{SECRET}').read_text()
