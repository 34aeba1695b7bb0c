--[[ The unit of work: events and the ledger, the flush, and the two kinds of entry point. ]]
do -- events and the ledger
  -- One state change, one event. `what` may name class (loaded), booking (loaded), member (id) and data.
  function R.emit(X, event, at, what)
    local org = X.org
    R.set(X, org, 'changes', (org.changes or 0) + 1)
    local e = {
      number = org.changes, event = event, at = at, class = what.class, booking = what.booking and what.booking.id,
      member = what.member or (what.booking and what.booking.member), by = X.by, data = what.data or {},
    }
    if what.booking then e.data.status = what.booking.status end
    X.events[#X.events + 1] = e
    return e
  end

  function R.cursor(X)
    return R.text(X.org.ms or 0) .. '-' .. R.text(X.org.changes or 0)
  end

  -- A line of the ledger, with the event that says so. The line's id is the event's change number.
  function R.ledger(X, at, c, b, kind, reason, amount, waives, why)
    local e = R.emit(X, kind == 'charged' and 'fee_charged' or 'fee_waived', at, {
      class = c, booking = b,
      data = { reason = reason, amount = amount, currency = c.currency, waives = waives, why = why },
    })
    local id = R.text(e.number)
    e.data.fee = id
    X.fees[#X.fees + 1] = {
      id .. '-0', 'kind', kind, 'booking', b.id, 'member', b.member, 'class', b.class, 'reason', reason,
      'amount', R.text(amount), 'currency', c.currency, 'waives', waives or '', 'at', R.text(at),
    }
    local m = R.member_of(X, b)
    local sign = kind == 'charged' and 1 or -1
    R.set(X, m, 'open_fees', (m.open_fees or 0) + sign * amount)
    R.set(X, b, 'fee', (b.fee or 0) + sign * amount)
    R.set(X, b, 'currency', c.currency)
    return id
  end
end

do -- the unit of work
  function R.open(anchor, now, sub, role)
    local p = string.sub(anchor, 1, -4)
    -- While a cluster moves the slot, a command on two missing keys fails: before the first write.
    redis.call('EXISTS', p .. 'guard:1', p .. 'guard:2')
    local X = {
      p = p, by = { sub = sub, role = role }, entities = {}, changed = {}, sets = {}, types = {}, events = {},
      fees = {}, after = {}, affected = {}, pending = {}, promotions = 0,
    }
    X.org = R.load(X, 'org', '')
    if now ~= '' then
      X.now = tonumber(now) or R.corrupt('now')
    elseif X.org.clock then
      X.now = X.org.clock
    else
      local t = redis.call('TIME')
      X.now = math.max(t[1] * 1000 + math.floor(t[2] / 1000), X.org.time or 0)
      X.time = X.now
    end
    return X
  end

  -- The counts every listener of a class wants, as they are when the call ends.
  local function counts(c)
    return {
      status = c.status, capacity = c.capacity, booked = c.booked, waiting = c.waiting, checked_in = c.checked_in,
      free = R.free(c), needed = math.max(0, R.minimum(c) - c.booked),
    }
  end

  local function check_types(X)
    for key, kind in pairs(X.types) do
      local found = redis.call('TYPE', key).ok
      if found ~= 'none' and found ~= kind then R.corrupt(key .. ' is a ' .. found) end
    end
    for _, z in pairs(X.sets) do
      if not z.known and next(z.put) ~= nil then
        local found = redis.call('TYPE', z.key).ok
        if found ~= 'none' and found ~= 'zset' then R.corrupt(z.key .. ' is a ' .. found) end
      end
    end
  end

  local function write_events(X)
    local org, last = X.org, {}
    for i, e in ipairs(X.events) do
      if e.class then last[e.class.id] = i end
    end
    for i, e in ipairs(X.events) do
      if e.class and last[e.class.id] == i then e.data.class = counts(e.class) end
      local line = cjson.encode({
        event = e.event, at = e.at, class = e.class and e.class.id, booking = e.booking, member = e.member,
        sub = e.by.sub, role = e.by.role, data = e.data,
      })
      local id = R.text(org.ms) .. '-' .. R.text(e.number)
      redis.call('XADD', X.p .. 'events', id, 'line', line)
      if e.class then redis.call('RPUSH', e.class.key .. ':history', id .. ' ' .. line) end
    end
    for _, line in ipairs(X.fees) do redis.call('XADD', X.p .. 'fees', unpack(line)) end
  end

  local function write_hashes(X)
    for _, e in ipairs(X.changed) do
      local args = {}
      for name in pairs(e.dirty) do
        args[#args + 1] = name
        args[#args + 1] = R.text(e.described and e.described[name] or e[name])
        if #args == 200 then
          redis.call('HSET', e.key, unpack(args))
          args = {}
        end
      end
      if #args > 0 then redis.call('HSET', e.key, unpack(args)) end
      e.dirty = {}
    end
  end

  local function write_sets(X)
    for _, z in pairs(X.sets) do
      for member, score in pairs(z.put) do
        if score then
          redis.call('ZADD', z.key, R.text(score), member)
        else
          redis.call('ZREM', z.key, member)
        end
      end
      z.put = {}
    end
  end

  -- A document changes only by events: a reservation that came or went by itself gets its own.
  local function announce_reservations(X)
    local told = {}
    for _, e in ipairs(X.events) do
      if e.class then told[e.class] = true end
    end
    for _, e in ipairs(X.changed) do
      if e.was_reserved and e.was_reserved ~= e.reserved and not told[e] then
        R.emit(X, 'availability_changed', X.now, { class = e })
      end
      e.was_reserved = nil
    end
  end

  function R.flush(X)
    announce_reservations(X)
    if #X.events == 0 and #X.changed == 0 and next(X.sets) == nil and #X.after == 0 then return end
    if #X.events > 0 then
      X.types[X.p .. 'events'] = 'stream'
      for _, e in ipairs(X.events) do
        if e.class then X.types[e.class.key .. ':history'] = 'list' end
      end
      R.set(X, X.org, 'ms', math.max(X.org.ms or 0, X.now))
    end
    if #X.fees > 0 then X.types[X.p .. 'fees'] = 'stream' end
    if X.time and #X.changed > 0 then R.set(X, X.org, 'time', X.time) end
    check_types(X)
    -- every check passed: first write
    write_events(X)
    write_hashes(X)
    write_sets(X)
    for _, command in ipairs(X.after) do redis.call(unpack(command)) end
    X.events, X.changed, X.fees, X.after, X.types = {}, {}, {}, {}, {}
  end
end

do -- entry points
  local function answer(X, tag, payload)
    local reply = { tag, R.cursor(X), X.org.zone or '' }
    for i = 1, #payload do reply[i + 3] = payload[i] end
    return reply
  end

  -- A refusal for the caller: a code, and the instant (or last frozen day) when it ends.
  function R.refuse(code, until_, detail)
    return 'REFUSED', { code, R.text(until_), detail or '' }
  end

  local function unknown_org(X) return not X.org.revision end

  --[[ Registers a function that reads. ARGV 1 now_ms, then its own. What is due is settled first. ]]
  function R.read(name, body)
    redis.register_function(name .. '_@HASH@', function(keys, args)
      local X = R.open(keys[1], args[1], 'rollcall', 'system')
      if unknown_org(X) then return answer(X, R.refuse('not_found')) end
      local settled = R.settle(X)
      R.flush(X)
      if not settled then return answer(X, 'AGAIN', {}) end
      return answer(X, body(X, unpack(args, 2)))
    end)
  end

  --[[ Registers a function that writes. ARGV 1 now_ms, 2 sub, 3 role, 4 command, 5 fingerprint, 6 keep_ms, then
    its own. The body returns a tag and either the payload or a function that makes it once all is written. ]]
  function R.write(name, body)
    redis.register_function(name .. '_@HASH@', function(keys, args)
      local X = R.open(keys[1], args[1], args[2], args[3])
      local command = X.p .. 'done:' .. args[4]
      local kept = redis.call('GET', command)
      if kept then
        local done = cjson.decode(kept)
        if X.now - done.at < R.remembered_ms then
          if done.print ~= args[5] then return answer(X, R.refuse('idempotency_mismatch')) end
          return done.reply
        end
      end
      if unknown_org(X) and name ~= 'put_org' then return answer(X, R.refuse('not_found')) end
      local settled = R.settle(X)
      R.flush(X)
      if not settled then return answer(X, 'AGAIN', {}) end
      local tag, payload = body(X, unpack(args, 7))
      -- Whatever a refused call has changed is only in its copies, and ends with it.
      local done = tag ~= 'REFUSED' and tag ~= 'RETRY'
      if done then R.flush(X) end
      if type(payload) == 'function' then payload = payload() end
      local reply = answer(X, tag, payload)
      if done then
        redis.call('SET', command, cjson.encode({ at = X.now, print = args[5], reply = reply }), 'PX', args[6])
      end
      return reply
    end)
  end
end
