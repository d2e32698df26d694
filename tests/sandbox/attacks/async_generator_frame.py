# ends: check
async def f():
    yield 1
return f().ag_frame
