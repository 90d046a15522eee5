arrayStringConcat([month, code], '\n')
