# ends: refused
# plain: error
# modules: logging
import logging.handlers
h = logging.handlers.SocketHandler('127.0.0.1', {PORT})
h.makeSocket()
return 'ESCAPED: connected'
