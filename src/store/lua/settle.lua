--[[ settle: carries out what time has already decided, in due order, each item at its own instant.

  Timers, by the text that orders equal instants:
    a0 <class>                        booking opens
    a1 <member>                       a ban ends
    b <class> 0                       spots are reserved: try the queue again (score 0: at once)
    b <class> 1 <ticket> <booking>    an offer runs out
    b <class> 2                       the minimum is judged
    b <class> 3                       the class starts
    b <class> 4                       check-in closes
    b <class> 5                       the class ends
]]
do
  local due = {}

  function due.a0(X, at, id)
    local c = R.class(X, id)
    R.drop(R.z(X, 'unopened'), id)
    if c.status ~= 'scheduled' then return end
    R.set(X, c, 'status', 'open')
    R.emit(X, 'class_opened', at, { class = c })
  end

  function due.a1(X, at, id)
    local m = R.member(X, id)
    if m then R.set(X, m, 'ban_ended', at) end
    R.touched(X, id)
  end

  -- What was kept until now counts as freed; so does what an earlier call could not finish.
  due['0'] = function(X, at, c)
    X.pending[c.id] = X.pending[c.id] or c.reserved > 0 or at == 0
  end

  due['1'] = function(X, at, c, id)
    local b = R.booking(X, id)
    R.leave(X, c, b, 'lapsed', at)
    R.emit(X, 'offer_lapsed', at, { class = c, booking = b })
    R.fill(X, c, at, true)
  end

  due['2'] = function(X, at, c) R.decide(X, c, at) end

  due['3'] = function(X, at, c)
    R.set(X, c, 'started', '1')
    R.emit(X, 'class_started', at, { class = c })
    R.fill(X, c, at, false)
  end

  due['4'] = function(X, at, c) R.close(X, c, at) end

  due['5'] = function(X, at, c)
    R.set(X, c, 'status', 'finished')
    R.emit(X, 'class_finished', at, { class = c })
  end

  function R.class_timers(X, c, on)
    local timers, unopened = R.z(X, 'timers'), R.z(X, 'unopened')
    local function at(name, instant)
      if on and instant then R.put(timers, name, instant) else R.drop(timers, name) end
    end
    local closed = c.status == 'scheduled'
    at('a0 ' .. c.id, closed and c.opens_at)
    if on and closed then R.put(unopened, c.id, c.opens_at) else R.drop(unopened, c.id) end
    -- the minimum is judged only where that was ahead when the class was published or moved
    at('b ' .. c.id .. ' 2', c.decide_at > X.now and c.decide_at)
    at('b ' .. c.id .. ' 3', not c.started and c.starts)
    at('b ' .. c.id .. ' 4', not c.closed and c.check_in_closes)
    at('b ' .. c.id .. ' 5', c.ends)
    if not on then R.drop(timers, 'b ' .. c.id .. ' 0') end
  end

  local function carry_out(X, item)
    local words = {}
    for word in string.gmatch(item.id, '%S+') do words[#words + 1] = word end
    if words[1] ~= 'b' then
      due[words[1]](X, item.score, words[2])
    else
      local c = R.class(X, words[2]) or R.corrupt('timer ' .. item.id)
      due[words[3]](X, item.score, c, words[5])
    end
    R.ripple(X, item.score)
  end

  -- What became free while settling is offered now, with the caller's now.
  local function fill_pending(X)
    local waiting = {}
    local freed = X.pending
    for id in pairs(freed) do waiting[#waiting + 1] = R.class(X, id) end
    table.sort(waiting, R.starts_earlier)
    X.pending = {}
    for _, c in ipairs(waiting) do R.fill(X, c, X.now, freed[c.id]) end
    R.ripple(X, X.now)
  end

  -- The usual case, looked at first because every call begins with it.
  local function nothing_due(X)
    local timers = X.sets.timers
    if (timers and next(timers.put) ~= nil) or X.affected[1] or X.look_again[1] then return false end
    local first = redis.call('ZRANGE', X.keys.timers, '0', '0', 'WITHSCORES')[2]
    return not first or tonumber(first) > X.now
  end

  -- True when nothing is due any more; false when the call must be made again.
  function R.settle(X)
    if nothing_due(X) then return true end
    local caller, timers = X.by, R.z(X, 'timers')
    X.by, X.settling, X.more = { sub = 'rollcall', role = 'system' }, true, false
    local left = R.settle_items_max
    while left > 0 do
      local item = R.range(timers, nil, X.now, 1)[1]
      if not item then break end
      R.drop(timers, item.id)
      carry_out(X, item)
      if item.score > 0 then left = left - 1 end
    end
    X.settling = false
    if left == 0 then
      for id in pairs(X.pending) do R.put(timers, 'b ' .. id .. ' 0', 0) end
      X.pending = {}
    else
      fill_pending(X)
    end
    X.by = caller
    return left > 0 and not X.more
  end
end
