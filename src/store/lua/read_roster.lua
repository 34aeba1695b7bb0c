--[[ read_roster: who has a spot and who waits, with names.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 class  3 instructor ('' = the desk)
  REPLY  ROSTER <id> <class> <bookings: booking, name…> <waitlist: booking, name…> | REFUSED <code> <until> <detail>
  EVENTS none
  WHY    the names leave only with the roster ]]
do
  local function named(X, b)
    return { R.booking_doc(X, b), redis.call('HGET', X.p .. 'member:' .. b.member, 'name') or '' }
  end

  R.read('read_roster', function(X, id, instructor)
    local c = R.class(X, id)
    if not c or (instructor ~= '' and c.instructor ~= instructor) then return R.refuse('not_found', nil, 'class') end
    local bookings, waitlist = {}, {}
    for _, entry in ipairs(R.range(R.z(X, 'class:' .. id .. ':void'))) do
      bookings[#bookings + 1] = named(X, R.booking(X, entry.id))
    end
    for _, b in ipairs(R.live_bookings(X, c)) do
      local to = b.status == 'waitlisted' and waitlist or bookings
      to[#to + 1] = named(X, b)
    end
    return 'ROSTER', { c.id, R.class_doc(c), bookings, waitlist }
  end)
end
