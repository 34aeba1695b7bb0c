--[[ carry_out: carry out what is due; the reply's head says when the next thing is.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms
  REPLY  SETTLED | AGAIN
  EVENTS what falls due
  WHY    the ticker announces; every other function settles by itself ]]
R.read('carry_out', function() return 'SETTLED', {} end)
