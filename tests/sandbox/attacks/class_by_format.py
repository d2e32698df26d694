# ends: check
return '{0.__class__.__base__}'.format(0)
