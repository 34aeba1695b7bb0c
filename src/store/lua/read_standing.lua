--[[ read_standing: strikes, ban, clips, open fees and limits of a member.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 member
  REPLY  STANDING <pairs> <strikes: booking, class, at, counts_until…> <booked: date, n…> <policy> | REFUSED <code> <until> <detail>
  EVENTS none
  WHY    read in one step, it agrees with what the next booking will be told ]]
do
  local week_ms = 604800000
  local counted = { booked = true, offered = true, checked_in = true }

  local function strikes(X, m)
    local out = {}
    for _, entry in ipairs(R.range(R.z(X, 'member:' .. m.id .. ':strikes'))) do
      local b = R.booking(X, entry.id)
      local c = R.class_of(X, b)
      for _, v in ipairs({ b.id, c.id, R.text(entry.score), R.text(entry.score + c.strike_window_ms) }) do
        out[#out + 1] = v
      end
    end
    return out
  end

  local function booked(X, m)
    local days, out = {}, {}
    for _, place in ipairs(R.places(X, m, X.now - week_ms, nil)) do
      local date = place.class.date
      if counted[place.booking.status] then
        if not days[date] then out[#out + 1] = date end
        days[date] = (days[date] or 0) + 1
      end
    end
    local flat = {}
    for _, date in ipairs(out) do flat[#flat + 1], flat[#flat + 2] = date, R.text(days[date]) end
    return flat
  end

  function R.standing_of(X, m)
    local upcoming = #R.range(R.upcoming(X, m.id), X.now + 1, nil)
    return {
      { 'banned_until', R.text(m.banned_until), 'clips', R.text(m.plan == 'clips' and (m.clips or 0) or nil),
        'open_fees', R.text(m.open_fees or 0), 'upcoming', R.text(upcoming) },
      strikes(X, m), booked(X, m), redis.call('HGET', X.org.key, 'policy'),
    }
  end

  R.read('read_standing', function(X, id)
    local m = R.known_member(X, id)
    if not m then return R.refuse('not_found', nil, 'member') end
    return 'STANDING', R.standing_of(X, m)
  end)
end
