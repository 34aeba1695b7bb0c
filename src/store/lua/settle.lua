--[[ settle: carries out what time has already decided, in due order, each item at its own instant.

  Timers, by the text that orders equal instants:
    a0 <class>                        booking opens
    a1 <member>                       a ban ends
    b <class> 0                       spots are reserved until then: the waitlist is asked again
                                      (score 0 or -1: settling left it to be asked, and a spot did or did not become free)
    b <class> 1 <ticket> <booking>    an offer runs out
    b <class> 2                       the minimum is judged
    b <class> 3                       the class starts
    b <class> 4                       check-in closes
    b <class> 5                       the class ends
]]
do
  local freed_score, not_freed_score = 0, -1
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

  due['0'] = function(X, at, c)
    local freed = at == freed_score or (at > 0 and c.reserved > 0)
    X.pending[c.id] = X.pending[c.id] or freed
  end

  due['1'] = function(X, at, c, id)
    local b = R.booking(X, id)
    R.leave(X, c, b, 'lapsed', at)
    R.emit(X, 'offer_lapsed', at, { class = c, booking = b })
    R.look(X, c, true)
  end

  due['2'] = function(X, at, c) R.decide(X, c, at) end

  due['3'] = function(X, at, c)
    R.set(X, c, 'started', '1')
    R.emit(X, 'class_started', at, { class = c })
    R.look(X, c, false)
  end

  due['4'] = function(X, _, c) R.close(X, c) end

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
  end

  -- Every due item in order, as far as the budget reaches. True when nothing is due any more.
  local function all_due(X)
    local timers = R.z(X, 'timers')
    while true do
      local item = R.range(timers, nil, X.now, 1)[1]
      if not item then return true end
      if X.ran and X.spent >= R.budget then return false end
      R.drop(timers, item.id)
      carry_out(X, item)
      X.ran = true
      if not R.run(X, item.score) then return false end
    end
  end

  -- What became free while settling is offered now, with the caller's now.
  local function ask_pending(X)
    local waiting, freed = {}, X.pending
    for id in pairs(freed) do waiting[#waiting + 1] = R.class(X, id) end
    table.sort(waiting, R.starts_earlier)
    X.pending = {}
    for _, c in ipairs(waiting) do R.look(X, c, freed[c.id]) end
    return R.run(X, X.now)
  end

  local function leave_pending(X)
    for id, freed in pairs(X.pending) do
      R.put(R.z(X, 'timers'), 'b ' .. id .. ' 0', freed and freed_score or not_freed_score)
    end
    X.pending = {}
  end

  -- The usual case, looked at first because every call begins with it.
  local function nothing_due(X)
    local timers = X.sets.timers
    if (timers and next(timers.put) ~= nil) or next(X.pending) ~= nil then return false end
    X.due = redis.call('ZRANGE', X.keys.timers, '0', '0', 'WITHSCORES')[2] or ''
    return X.due == '' or tonumber(X.due) > X.now
  end

  -- True when nothing is due any more; false when the call must be made again.
  function R.settle(X)
    if R.foreign_changes(X) and not R.catch_up(X) then return false end
    if X.org.rest then
      if not R.go_on(X) then
        leave_pending(X)
        return false
      end
    elseif not R.run(X, X.now) then
      return false
    end
    if X.org.reterm then return R.ask_terms(X) end
    if X.org.unread then return R.ask_names(X) end
    if nothing_due(X) then return true end
    local caller = X.by
    X.by, X.settling = { sub = 'rollcall', role = 'system' }, true
    local finished = all_due(X)
    X.settling = false
    if finished then finished = ask_pending(X) else leave_pending(X) end
    X.by = caller
    return finished
  end
end
