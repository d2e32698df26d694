# ends: refused
# plain: error
# modules: socket
import socket
socket.socket()
return 'ESCAPED: connected'
