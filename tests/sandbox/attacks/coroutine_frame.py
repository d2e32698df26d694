# ends: check
async def f():
    pass
return f().cr_frame
