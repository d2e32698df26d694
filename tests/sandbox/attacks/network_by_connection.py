# ends: refused
# plain: error
# modules: socket
import socket
socket.create_connection(('127.0.0.1', {PORT}))
return 'ESCAPED: connected'
