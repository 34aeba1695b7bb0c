--[[ walk_in: the desk books and checks in somebody who has come, into a free spot.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms  7 class  8 member  9 booking id
  REPLY  BOOKED <booking> | REPEATED <booking> | REFUSED <code> <until> <detail>
  EVENTS booking_confirmed, checked_in, excused, fee_waived, ban_lifted, and what a gone obstacle causes
  WHY    those who stand by come before those who walk in ]]
do
  -- Present stand-bys who could take a spot now.
  local function standing_by(X, c, at)
    local n = 0
    for _, entry in ipairs(R.range(R.z(X, 'class:' .. c.id .. ':queue'))) do
      local b = R.booking(X, entry.id)
      if b.present and not R.obstacle(X, R.member_of(X, b), c, at) then n = n + 1 end
    end
    return n
  end

  local function refusal(X, c, m, at)
    local why, until_ = R.obstacle(X, m, c, at)
    if why and why ~= 'daily_limit' then return why, until_ end
    if R.spots(c) <= math.max(c.reserved, standing_by(X, c, at)) then return 'full' end
  end

  R.write('walk_in', function(X, class, member, id)
    local at, c, m = X.now, R.class(X, class), R.known_member(X, member)
    if not c then return R.refuse('not_found', nil, 'class') end
    if not m then return R.unknown_member(true) end
    if c.status == 'cancelled' then return R.refuse('class_cancelled') end
    if c.status == 'finished' then return R.refuse('class_finished') end
    local why, until_ = R.check_in_shut(c, at)
    if why then return R.refuse(why, until_) end
    local b = R.live_in(X, m, c)
    if b then return 'REPEATED', R.booking_reply(X, b) end
    why, until_ = refusal(X, c, m, at)
    if why then return R.refuse(why, until_) end
    until_ = R.too_many_rounds(c, m, at)
    if until_ then return R.rate_limited(X, until_) end
    b = R.new_booking(X, id, c, m, at)
    R.set(X, b, 'walk_in', '1')
    R.take_spot(X, c, b, m, at)
    R.emit(X, 'booking_confirmed', at, { class = c, booking = b, data = { walk_in = true } })
    R.forgive(X, at, c)
    R.arrive(X, c, b, m, at, false)
    return 'BOOKED', R.booking_reply(X, b)
  end)
end
