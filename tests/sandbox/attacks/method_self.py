# ends: check
return [].append.__self__.__class__
