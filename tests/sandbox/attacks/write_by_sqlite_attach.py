# ends: error
# modules: sqlite3
import sqlite3
c = sqlite3.connect(":memory:")
c.execute("attach database '{FOLDER}/new.db' as x")
c.execute("create table x.t(y)")
c.commit()
return "ESCAPED: written"
