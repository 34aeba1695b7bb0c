--[[ read_roster: who has a spot and who waits, with names: a page of them.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 class  3 instructor ('' = the desk)  4 how many to skip
  REPLY  ROSTER <id> <class> <version> <next skip or ''> <entry: ticket, booking, name>… | REFUSED <code> <until> <detail>
  EVENTS none
  WHY    the names leave only with the roster; pages of one version, which every event of the class changes, fit together ]]
do
  local page_max = 60 -- entries of one call; each is a booking, a member and, where it waits, a place
  local sets = { 'void', 'roster', 'offers', 'queue' }

  local function entry(X, id, ticket)
    local b = R.booking(X, id)
    X.spent = X.spent + (b.status == 'waitlisted' and 2 or 1)
    return { ticket, R.booking_doc(X, b), redis.call('HGET', X.p .. 'member:' .. R.part[b.member], 'name') or '' }
  end

  R.read('read_roster', function(X, id, instructor, skipped)
    local c = R.class(X, id)
    if not c or (instructor ~= '' and c.instructor ~= instructor) then return R.refuse('not_found', nil, 'class') end
    local version = R.text(redis.call('LLEN', c.key .. ':history'))
    local out, left, total, skip = { c.id, R.class_doc(c), version, '' }, page_max, 0, tonumber(skipped)
    for _, set in ipairs(sets) do
      local key = c.key .. ':' .. set
      local size = redis.call('ZCARD', key)
      if left > 0 and skip < size then
        local raw = redis.call('ZRANGE', key, skip, skip + left - 1, 'WITHSCORES')
        for i = 1, #raw, 2 do out[#out + 1] = entry(X, raw[i], raw[i + 1]) end
        left = left - #raw / 2
      end
      total, skip = total + size, math.max(0, skip - size)
    end
    local next_skip = tonumber(skipped) + page_max - left
    if next_skip < total then out[4] = R.text(next_skip) end
    return 'ROSTER', out
  end)
end
