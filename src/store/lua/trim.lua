--[[ trim: forget what retention no longer keeps, a small bite at a time.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 events before this ms  3 classes that started before this ms
  REPLY  TRIMMED <more: '1' or ''>
  EVENTS none
  WHY    bites keep the wait of everybody else short; the ledger is kept ]]
do
  local lines_max = 200

  -- The first lines of a class's history and the bookings they name; true when nothing of it is left.
  local function bite(X, id)
    local key = X.p .. 'class:' .. id
    local lines = redis.call('LRANGE', key .. ':history', 0, lines_max - 1)
    for _, line in ipairs(lines) do
      local e = cjson.decode(string.match(line, ' (.*)$'))
      if e.booking then
        local m = X.p .. 'member:' .. e.member
        redis.call('DEL', X.p .. 'booking:' .. e.booking)
        redis.call('ZREM', m .. ':upcoming', e.booking)
        redis.call('ZREM', m .. ':history', e.booking)
        redis.call('ZREM', m .. ':strikes', e.booking)
      end
    end
    redis.call('LTRIM', key .. ':history', lines_max, -1)
    return #lines < lines_max
  end

  local function forget(X, id)
    local key = X.p .. 'class:' .. id
    local club = redis.call('HGET', key, 'club')
    for _, part in ipairs({ '', ':roster', ':queue', ':offers', ':late', ':void', ':history' }) do
      redis.call('DEL', key .. part)
    end
    redis.call('ZREM', X.p .. 'classes', id)
    if club then redis.call('ZREM', X.p .. 'club:' .. club .. ':classes', id) end
  end

  R.read('trim', function(X, events_before, classes_before)
    local key = X.p .. 'events'
    local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
    local cut = 0
    if last then
      -- the last event stays, so the newest cursor is always there
      local bound = math.min(tonumber(events_before), tonumber(string.match(last[1], '^%d+')))
      cut = redis.call('XTRIM', key, 'MINID', '~', R.text(bound), 'LIMIT', 1000)
    end
    local old = redis.call('ZRANGEBYSCORE', X.p .. 'classes', '-inf', '(' .. classes_before, 'LIMIT', 0, 1)[1]
    if old then
      local c = R.class(X, old)
      if (not c or c.status == 'finished' or c.status == 'cancelled') and bite(X, old) then forget(X, old) end
    end
    return 'TRIMMED', { (old or cut > 0) and '1' or '' }
  end)
end
