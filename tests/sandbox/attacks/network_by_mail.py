# ends: refused
# plain: error
# modules: smtplib
import smtplib
smtplib.SMTP('127.0.0.1', 25)
return 'ESCAPED: connected'
