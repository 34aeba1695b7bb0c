--[[ trim: forget what retention no longer keeps, a small bite at a time.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 events before this ms  3 classes that started before this ms
  REPLY  TRIMMED <more: '1' or ''>
  EVENTS none
  WHY    bites keep the wait of everybody else short; the ledger is kept ]]
do
  local lines_max = 50 -- of a class's history, and with them the bookings they name, in one bite
  local parts = {
    rounds = 'hash', roster = 'zset', queue = 'zset', offers = 'zset', late = 'zset', void = 'zset', history = 'list',
  }

  -- Only noted here: the flush sees to the types first, then does it.
  local function also(X, kind, command, key, ...)
    X.types[X.p .. key] = kind
    X.after[#X.after + 1] = { command, X.p .. key, ... }
  end

  local function forget_class(X, id, c)
    for part, kind in pairs(parts) do also(X, kind, 'UNLINK', 'class:' .. id .. ':' .. part) end
    also(X, 'hash', 'DEL', 'class:' .. id)
    also(X, 'zset', 'ZREM', 'classes', id)
    for _, lists in ipairs(c and { R.lists(c) } or {}) do
      for _, list in ipairs(lists) do also(X, 'zset', 'ZREM', list, id) end
    end
  end

  -- The first lines of a class's history and the bookings they name; the class goes with the last of them.
  local function bite(X, id, c)
    local history = 'class:' .. id .. ':history'
    local lines = redis.call('LRANGE', X.p .. history, 0, lines_max - 1)
    for _, line in ipairs(lines) do
      local e = cjson.decode(string.match(line, ' (.*)$'))
      if e.booking then
        also(X, 'hash', 'DEL', 'booking:' .. e.booking)
        for _, set in ipairs({ ':upcoming', ':history', ':strikes' }) do
          also(X, 'zset', 'ZREM', 'member:' .. R.part[e.member] .. set, e.booking)
        end
      end
    end
    also(X, 'list', 'LTRIM', history, lines_max, -1)
    if #lines < lines_max then forget_class(X, id, c) end
  end

  R.read('trim', function(X, events_before, classes_before)
    local key = X.p .. 'events'
    local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
    local old = redis.call('ZRANGEBYSCORE', X.p .. 'classes', '-inf', '(' .. classes_before, 'LIMIT', 0, 1)[1]
    if old then
      local c = R.class(X, old)
      if not c or c.status == 'finished' or c.status == 'cancelled' then bite(X, old, c) end
    end
    R.flush(X)
    local cut = 0
    if last then
      -- the last event stays, so the newest cursor is always there
      local bound = math.min(tonumber(events_before), tonumber(string.match(last[1], '^%d+')))
      cut = redis.call('XTRIM', key, 'MINID', '~', R.text(bound), 'LIMIT', 200)
    end
    return 'TRIMMED', { (old or cut > 0) and '1' or '' }
  end)
end
