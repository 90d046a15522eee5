toString(month)
