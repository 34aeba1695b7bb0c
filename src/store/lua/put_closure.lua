--[[ put_closure: a club is closed on some days; its classes on them are cancelled.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms
         7 club  8 closure  9 first day  10 last day  11 reason  12 no class of these days starts before (ms)
         13 none starts after (ms)
  REPLY  CLOSED <created: '1' or ''> | REFUSED <code> <until> <detail>
  EVENTS club_changed, class_cancelled, check_in_undone, booking_cancelled, waitlist_left, excused, fee_waived, ban_lifted,
         and what a gone obstacle causes
  WHY    from this step on nothing is published there, and what is there is called off before anybody is answered ]]
do
  local page_max = 16 -- classes looked up at once

  -- Calls off, one after the other, the classes that start on these days. One that has started is left alone.
  function R.steps.close_days(X, entry, at)
    while true do
      local page, more = R.page(X, X.p .. 'club:' .. entry.club .. ':classes', entry.low, entry.high, entry.after or '',
        entry.after_id or '', page_max)
      for _, found in ipairs(page) do
        entry.after, entry.after_id = R.text(found.score), found.id
        local c = R.class(X, found.id)
        local meant = c and entry.from <= c.date and c.date <= entry.to and at < c.starts
        if meant and (c.status == 'scheduled' or c.status == 'open') then
          R.call_off(X, c, at, entry.reason)
          return false
        end
        if X.spent >= R.budget then return false end
      end
      if not more then return true end
    end
  end

  R.write('put_closure', function(X, club, id, from, to, reason, low, high)
    if redis.call('HEXISTS', X.p .. 'clubs', club) == 0 then return R.refuse('not_found', nil, 'club') end
    local key, text = R.closures_key(X, club), from .. ' ' .. to .. ' ' .. reason
    local known = redis.call('HGET', key, id)
    if known == text then return 'CLOSED', { '' } end
    if known then return R.refuse('invalid', '/id', 'is taken by another closure of the club') end
    if redis.call('HLEN', key) >= R.closures_max then
      return R.refuse('invalid', '', 'cannot be stored: the club has as many closures as it may, ' .. R.text(R.closures_max))
    end
    R.also(X, 'hash', 'HSET', 'club:' .. club .. ':closures', id, text)
    R.emit(X, 'club_changed', X.now, {
      data = { club = club, closure = { id = id, from = from, to = to, reason = reason } },
    })
    R.step(X, {
      kind = 'close_days', club = club, from = from, to = to, reason = reason, low = tonumber(low), high = tonumber(high),
    })
    return 'CLOSED', { '1' }
  end)
end
