# ends: refused
# modules: sqlite3
import sqlite3
sqlite3.connect('{FOLDER}/new.db').execute('create table t(x)')
return 'ESCAPED: written'
