--[[ list_bookings: a member's bookings: what is ahead by class start, or the rest, newest first.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 member  3 when ('upcoming', 'past' or '' = all, newest first)  4 limit  5 after score ('' = the beginning)
         6 after booking
  REPLY  BOOKINGS <next score or ''> <next booking> <booking>… | REFUSED <code> <until> <detail>
  EVENTS none
  WHY    ahead is what is live in a class that has not ended; everything else is past ]]
do
  local looks_max = 50 -- bookings of one call; each is read with its class and, where it waits, its place

  local function ahead(X, b)
    return R.live[b.status] ~= nil and R.class_of(X, b).ends > X.now
  end

  -- The history from the newest on, below a change number, looking at a bounded number.
  local function history(X, member, after)
    local high = after ~= '' and '(' .. after or '+inf'
    local raw = redis.call('ZREVRANGEBYSCORE', R.member_key(X, member, 'history'), high, '-inf', 'WITHSCORES',
      'LIMIT', 0, looks_max)
    local out = {}
    for i = 1, #raw, 2 do out[#out + 1] = { id = raw[i], score = tonumber(raw[i + 1]) } end
    return out, #out == looks_max
  end

  R.read('list_bookings', function(X, member, when, limit, after, after_id)
    local m = R.member(X, member)
    if not m then return R.refuse('not_found', nil, 'member') end
    local ascending = when == 'upcoming'
    local page, more
    if ascending then
      local key = R.member_key(X, member, 'upcoming')
      page, more = R.page(X, key, X.now - 86400000, nil, after, after_id, looks_max)
    else
      page, more = history(X, member, after)
    end
    local found, last = {}, nil
    for _, entry in ipairs(page) do
      local b = R.booking(X, entry.id)
      if when == '' or ahead(X, b) == ascending then
        if #found == tonumber(limit) then
          more = true
          break
        end
        found[#found + 1] = R.booking_doc(X, b)
        if b.status == 'waitlisted' then X.spent = X.spent + 1 end
      end
      last = entry
    end
    local out = { more and R.text(last.score) or '', more and last.id or '' }
    for _, doc in ipairs(found) do out[#out + 1] = doc end
    return 'BOOKINGS', out
  end)
end
