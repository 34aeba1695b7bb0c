--[[ read_standing: strikes, ban, clips, open fees and limits of a member, with a page of the places they hold.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 member  3 after: class start_ms ('' = the beginning)  4 after: booking
  REPLY  STANDING <pairs> <strikes: booking, class, at, counts_until…> <booked: date, n…> <policy> | REFUSED <code> <until> <detail>
  EVENTS none
  WHY    read in one step, it agrees with what the next booking will be told; only who holds very many places needs more ]]
do
  local week_ms = 604800000
  local strikes_max = 40 -- a member's newest; a ban rests on a few of them
  local places_max = 40  -- of one call; each is a booking and its class
  local counted = { booked = true, offered = true, checked_in = true }

  local function key_of(X, m, set) return R.member_key(X, m.id, set) end

  -- The class is not loaded for the one field that is wanted.
  local function strikes(X, m)
    local raw, out = redis.call('ZREVRANGE', key_of(X, m, 'strikes'), 0, strikes_max - 1, 'WITHSCORES'), {}
    for i = #raw - 1, 1, -2 do
      local b = R.booking(X, raw[i])
      local window = tonumber(redis.call('HGET', X.p .. 'class:' .. b.class, 'strike_window_ms') or nil)
      if not window then R.corrupt('class ' .. b.class .. ' has no window') end
      X.spent = X.spent + 1
      for _, v in ipairs({ b.id, b.class, raw[i + 1], R.text(tonumber(raw[i + 1]) + window) }) do out[#out + 1] = v end
    end
    return out
  end

  -- Spots by day from the last week on, and where the next page begins.
  local function booked(X, m, after, after_id)
    local from = X.now - week_ms
    local page, more = R.page(X, key_of(X, m, 'upcoming'), from, nil, after, after_id, places_max)
    local days, dates, flat = {}, {}, {}
    for _, place in ipairs(page) do
      local b = R.booking(X, place.id)
      local date = R.class_of(X, b).date
      if counted[b.status] then
        if not days[date] then dates[#dates + 1] = date end
        days[date] = (days[date] or 0) + 1
      end
    end
    for _, date in ipairs(dates) do flat[#flat + 1], flat[#flat + 2] = date, R.text(days[date]) end
    return flat, more and page[#page]
  end

  -- How much is looked at for the first page.
  function R.standing_cost(X, m)
    local struck = redis.call('ZCARD', key_of(X, m, 'strikes'))
    local places = redis.call('ZCOUNT', key_of(X, m, 'upcoming'), R.text(X.now - week_ms), '+inf')
    return 2 * (math.min(strikes_max, struck) + math.min(places_max, places))
  end

  -- A page after the first has none of the strikes.
  function R.standing_of(X, m, after, after_id)
    local spots, last = booked(X, m, after or '', after_id or '')
    local upcoming = redis.call('ZCOUNT', key_of(X, m, 'upcoming'), R.text(X.now + 1), '+inf')
    return {
      { 'banned_until', R.text(m.banned_until), 'clips', R.text(m.plan == 'clips' and (m.clips or 0) or nil),
        'open_fees', R.text(m.open_fees or 0), 'upcoming', R.text(upcoming),
        'next_start', last and R.text(last.score) or '', 'next_booking', last and last.id or '' },
      (after or '') == '' and strikes(X, m) or {}, spots, redis.call('HGET', X.org.key, 'policy'),
    }
  end

  R.read('read_standing', function(X, id, after, after_id)
    local m = R.known_member(X, id)
    if not m then return R.refuse('not_found', nil, 'member') end
    return 'STANDING', R.standing_of(X, m, after, after_id)
  end)
end
