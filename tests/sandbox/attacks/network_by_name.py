# ends: refused
# plain: error
# modules: socket
import socket
socket.getaddrinfo('localhost', 80)
return 'ESCAPED: connected'
