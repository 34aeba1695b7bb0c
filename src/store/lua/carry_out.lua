--[[ carry_out: carry out what is due, and say when the next thing is.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms
  REPLY  SETTLED <next due_ms or ''> | AGAIN
  EVENTS what falls due
  WHY    the ticker announces; every other function settles by itself ]]
R.read('carry_out', function(X)
  local next_ = redis.call('ZRANGE', X.p .. 'timers', 0, 0, 'WITHSCORES')
  return 'SETTLED', { next_[2] or '' }
end)
