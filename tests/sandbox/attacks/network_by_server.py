# ends: refused
# plain: error
# modules: socketserver
import socketserver
socketserver.TCPServer(('127.0.0.1', 0), None)
return 'ESCAPED: connected'
