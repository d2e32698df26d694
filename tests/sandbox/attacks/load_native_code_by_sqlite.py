# ends: safe
# modules: sqlite3
import sqlite3
c = sqlite3.connect(':memory:')
c.enable_load_extension(True)
c.load_extension('{SECRET}')
return 'ESCAPED: loaded'
