# ends: refused
# modules: asyncio
import asyncio
async def f():
    await asyncio.create_subprocess_exec('id')
asyncio.run(f())
return 'ESCAPED: started'
