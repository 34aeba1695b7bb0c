--[[ The unit of work: events and the ledger, the flush, and the two kinds of entry point. ]]
do -- events and the ledger
  -- One state change, one event. `what` may name class (loaded), booking (loaded), member (id) and data.
  function R.emit(X, event, at, what)
    local org = X.org
    R.set(X, org, 'changes', (org.changes or 0) + 1)
    local c, b = what.class, what.booking
    local e = {
      number = org.changes, event = event, at = at, class = c, booking = b and b.id,
      member = what.member or (b and b.member), by = X.by, status = b and b.status, data = what.data or {},
    }
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
    R.put(R.z(X, 'member:' .. b.member .. ':fees'), id, e.number)
    local m = R.member_of(X, b)
    local sign = kind == 'charged' and 1 or -1
    R.set(X, m, 'open_fees', (m.open_fees or 0) + sign * amount)
    R.set(X, b, 'fee', (b.fee or 0) + sign * amount)
    R.set(X, b, 'currency', c.currency)
    return id
  end
end

do -- the unit of work
  local texts = R.texts

  -- The keys that every call needs, from the anchor.
  local keys_of = memo(function(anchor)
    local p = string.sub(anchor, 1, -4)
    return {
      prefix = p, org = p .. 'org', events = p .. 'events', timers = p .. 'timers',
      guards = { p .. 'guard:1', p .. 'guard:2' },
    }
  end)

  function R.open(anchor, now, sub, role)
    local keys = keys_of[anchor]
    -- While a cluster moves the slot, a command on two missing keys fails: before the first write.
    redis.call('EXISTS', keys.guards[1], keys.guards[2])
    local X = {
      p = keys.prefix, keys = keys, by = { sub = sub, role = role }, org = false, now = false, time = false,
      entities = { org = {}, class = {}, booking = {}, member = {} }, sets = {}, upcoming = {},
      changed = {}, events = {}, fees = {}, types = {}, after = {},
      affected = {}, look_again = {}, pending = {}, promotions = 0, spent = 0,
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

  local function line_of(e, last)
    local c, data = e.class, e.data
    data.status = e.status
    if last then data.class = counts(c) end
    return cjson.encode({
      event = e.event, at = e.at, class = c and c.id, booking = e.booking, member = e.member,
      sub = e.by.sub, role = e.by.role, data = data,
    })
  end

  -- Each event as what it takes to write it: id, line, and the class's history. The last of each class has the counts.
  local function lines_of(X)
    local last, lines = {}, {}
    for i, e in ipairs(X.events) do
      if e.class then last[e.class] = i end
    end
    for i, e in ipairs(X.events) do
      local c = e.class
      local history = c and c.key .. ':history'
      if c then X.types[history] = 'list' end
      local id = texts[X.org.ms] .. '-' .. texts[e.number]
      lines[i] = { id, line_of(e, c and last[c] == i), history }
    end
    return lines
  end

  -- Each fails by itself on a key of another type, and does nothing on one that is not there.
  local probes = { hash = 'HLEN', list = 'LLEN', stream = 'XLEN', string = 'STRLEN', zset = 'ZCARD' }

  local function check_types(X)
    for key, kind in pairs(X.types) do redis.call(probes[kind], key) end
    for _, z in pairs(X.sets) do
      if not z.known and next(z.put) ~= nil then redis.call('ZCARD', z.key) end
    end
  end

  -- The first event is the first write of all: where it fails, nothing has been done.
  local function write_events(X, lines)
    local events = X.keys.events
    for _, line in ipairs(lines) do
      redis.call('XADD', events, line[1], 'line', line[2])
      if line[3] then redis.call('RPUSH', line[3], line[1] .. ' ' .. line[2]) end
    end
    for _, line in ipairs(X.fees) do redis.call('XADD', X.p .. 'fees', unpack(line)) end
  end

  -- Used again and again, because growing a list costs more than filling it.
  local args = {}

  local function write_hash(e)
    local count, described, is_number = 0, e.described, e.is_number
    for name in pairs(e.dirty) do
      local v = described and described[name] or e[name]
      args[count + 1], args[count + 2] = name, is_number[name] and texts[v] or v or ''
      count = count + 2
      if count == 200 then
        redis.call('HSET', e.key, unpack(args, 1, count))
        count = 0
      end
    end
    if count > 0 then redis.call('HSET', e.key, unpack(args, 1, count)) end
    e.dirty, e.changed = {}, false
  end

  local function write_sets(X)
    for _, z in pairs(X.sets) do
      for member, score in pairs(z.put) do
        if score then
          redis.call('ZADD', z.key, texts[score], member)
        else
          redis.call('ZREM', z.key, member)
        end
      end
      if next(z.put) ~= nil then z.put, z.kept = {}, nil end
    end
  end

  -- A document changes only by events: a reservation that came or went by itself gets its own.
  local function announce_reservations(X)
    if #X.changed == 0 then return end
    local told = {}
    for _, e in ipairs(X.events) do
      if e.class then told[e.class] = true end
    end
    local untold = {}
    for _, e in ipairs(X.changed) do
      if e.was_reserved and e.was_reserved ~= e.reserved and not told[e] then untold[#untold + 1] = e end
      e.was_reserved = false
    end
    table.sort(untold, R.starts_earlier)
    for _, c in ipairs(untold) do R.emit(X, 'availability_changed', X.now, { class = c }) end
  end

  function R.flush(X)
    announce_reservations(X)
    if #X.events == 0 and #X.changed == 0 and next(X.sets) == nil and #X.after == 0 then return end
    if #X.events > 0 then R.set(X, X.org, 'ms', math.max(X.org.ms or 0, X.now)) end
    local lines = lines_of(X)
    if #X.fees > 0 then X.types[X.p .. 'fees'] = 'stream' end
    if X.time and #X.changed > 0 then R.set(X, X.org, 'time', X.time) end
    check_types(X)
    -- every check passed: first write
    write_events(X, lines)
    for _, e in ipairs(X.changed) do write_hash(e) end
    write_sets(X)
    for _, command in ipairs(X.after) do redis.call(unpack(command)) end
    X.events, X.changed, X.fees, X.after, X.types = {}, {}, {}, {}, {}
  end
end

do -- entry points
  local texts = R.texts

  -- A reply as it is remembered: tag, cursor, zone, payload. Instances of every version read this form.
  local function reply_of(X, tag, payload)
    local reply = { tag, R.cursor(X), X.org.zone or '' }
    for i = 1, #payload do reply[i + 3] = payload[i] end
    return reply
  end

  -- The instant at which the next timer of the organisation falls due, as text; '' when nothing is due.
  local function next_due(X)
    return redis.call('ZRANGE', X.keys.timers, '0', '0', 'WITHSCORES')[2] or ''
  end

  -- A reply as the service reads it: tag, cursor, zone, what the call looked at, the next instant something is due,
  -- payload.
  local function sent(X, reply)
    local out = { reply[1], reply[2], reply[3], texts[X.spent], next_due(X) }
    for i = 4, #reply do out[i + 2] = reply[i] end
    return out
  end

  local function answer(X, tag, payload) return sent(X, reply_of(X, tag, payload)) end

  -- A refusal for the caller: a code, and the instant (or last frozen day) when it ends.
  function R.refuse(code, until_, detail)
    return 'REFUSED', { code, R.text(until_), detail or '' }
  end

  local function unknown_org(X) return not X.org.revision end

  --[[ Registers a function that reads. ARGV 1 now_ms, then its own. What is due is settled first. ]]
  function R.read(name, body)
    register(name .. '_@HASH@', function(keys, args)
      if not redis then take_over() end
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
    register(name .. '_@HASH@', function(keys, args)
      if not redis then take_over() end
      local X = R.open(keys[1], args[1], args[2], args[3])
      local command = X.p .. 'done:' .. args[4]
      local kept = redis.call('GET', command)
      if kept then
        local done = cjson.decode(kept)
        if X.now - done.at < R.remembered_ms then
          if done.print ~= args[5] then return answer(X, R.refuse('idempotency_mismatch')) end
          return sent(X, done.reply)
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
      local reply = reply_of(X, tag, payload)
      if done then
        redis.call('SET', command, cjson.encode({ at = X.now, print = args[5], reply = reply }), 'PX', args[6])
      end
      return sent(X, reply)
    end)
  end
end
