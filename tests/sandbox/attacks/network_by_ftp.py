# ends: refused
# plain: error
# modules: ftplib
import ftplib
ftplib.FTP('127.0.0.1')
return 'ESCAPED: connected'
