toString(at)
