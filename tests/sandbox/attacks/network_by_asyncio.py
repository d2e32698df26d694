# ends: refused
# plain: error
# modules: asyncio
import asyncio
async def f():
    await asyncio.open_connection('127.0.0.1', {PORT})
asyncio.run(f())
return 'ESCAPED: connected'
