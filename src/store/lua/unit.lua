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
    X.spent = X.spent + 3
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
    R.put(R.of_member(X, b.member, 'fees'), id, e.number)
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

  --[[ A unit of work. Its fields:
      p, keys         what every key of the organisation begins with, and the keys each call needs
      by              who causes the events: { sub, role }
      org             the organisation's hash
      now             the instant of the call; `time` is the same where it was read from the server's clock
      entities        copies of hashes by kind and id; false: there is no such thing
      sets, upcoming  copies of sorted sets by name; a member's upcoming bookings by member
      changed         hashes to write     events, fees   lines to write
      types           keys whose type is checked before the first write
      after           commands to run after everything else is written
      made, kept      work of this call, and work an earlier call left, by lane (work.lua)
      begun           pieces of work that are not yet at their end, the innermost last
      touched         members already in the third lane
      pending         classes whose offers wait until settling ends: id -> whether a spot became free
      settling        what has fallen due is being carried out
      promotions      promotions and offers made
      spent           stored things looked at so far; `ran`: a piece of work has been done
      more            work is left for the next call
      settle_again    the call changed what is due: settle once more before the answer
      ask             what only the service can compute, asked for instead of an answer (terms.lua)
      due             the first timer as this call found it; false: not looked at ]]
  function R.open(anchor, now, sub, role)
    local keys = keys_of[anchor]
    -- While a cluster moves the slot, a command on two missing keys fails: before the first write.
    redis.call('EXISTS', keys.guards[1], keys.guards[2])
    local X = {
      p = keys.prefix, keys = keys, by = { sub = sub, role = role }, org = false, now = false, time = false,
      entities = { org = {}, class = {}, booking = {}, member = {} }, sets = {}, upcoming = {},
      changed = {}, events = {}, fees = {}, types = {}, after = {},
      made = { { first = 1, last = 0 }, { first = 1, last = 0 }, { first = 1, last = 0 } }, kept = false, begun = {}, touched = {},
      pending = {}, settling = false, promotions = 0, spent = 0, ran = false, more = false, ask = false, due = false,
      settle_again = false,
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
    if #X.events > 0 then
      R.set(X, X.org, 'ms', math.max(X.org.ms or 0, X.now))
      R.set(X, X.org, 'noted', R.cursor(X))
    end
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
  local keyed_day_max = { member = 2000 } -- calls with a key that are remembered for one caller in 24 h, by role
  local keyed_day_others_max = 200000     -- the same for everyone else: an import has a key a line
  local keyed_ms_min = 3600000            -- replies of calls without a key are remembered for less than this

  -- A reply as it is remembered: tag, cursor, zone, payload. Instances of every version read this form.
  local function reply_of(X, tag, payload)
    local reply = { tag, R.cursor(X), X.org.zone or '' }
    for i = 1, #payload do reply[i + 3] = payload[i] end
    return reply
  end

  -- The instant at which the next timer of the organisation falls due, as text; '' when nothing is due.
  local function next_due(X)
    if X.due and not X.sets.timers then return X.due end
    return redis.call('ZRANGE', X.keys.timers, '0', '0', 'WITHSCORES')[2] or ''
  end

  -- A reply as the service reads it: tag, cursor, zone, what the call looked at, the next instant something is due,
  -- payload.
  local function sent(X, reply)
    local out = { reply[1], reply[2], reply[3], texts[X.spent], X.more and '0' or next_due(X) }
    for i = 4, #reply do out[i + 2] = reply[i] end
    return out
  end

  local function answer(X, tag, payload) return sent(X, reply_of(X, tag, payload)) end

  -- A refusal for the caller: a code, and the instant (or last frozen day) when it ends.
  function R.refuse(code, until_, detail)
    return 'REFUSED', { code, R.text(until_), detail or '' }
  end

  -- A refusal for a caller who has done a thing too often: until when.
  function R.rate_limited(X, until_)
    return R.refuse('rate_limited', R.text(until_) .. ' ' .. R.text(math.ceil((until_ - X.now) / 1000)))
  end

  local function unknown_org(X) return not X.org.revision end

  -- Carries out what is due. An answer for the service where the call is to be made again, or nil.
  local function unsettled(X, tag)
    local settled = R.settle(X)
    R.flush(X)
    if X.ask then return answer(X, 'ASK', X.ask) end
    if not settled or (X.ran and X.spent >= R.budget / 2) then
      X.more = true
      return answer(X, tag, {})
    end
    X.ran = false
  end

  --[[ Registers a function that reads. ARGV 1 now_ms, then its own. What is due is settled first. ]]
  function R.read(name, body)
    register(name .. '_@HASH@', function(keys, args)
      if not redis then take_over() end
      local X = R.open(keys[1], args[1], 'rollcall', 'system')
      if unknown_org(X) then return answer(X, R.refuse('not_found')) end
      return unsettled(X, 'AGAIN') or answer(X, body(X, unpack(args, 2)))
    end)
  end

  --[[ Registers a function that keeps house: like one that reads, but nothing is settled first. ARGV 1 now_ms, then its
    own. ]]
  function R.maintain(name, body)
    register(name .. '_@HASH@', function(keys, args)
      if not redis then take_over() end
      local X = R.open(keys[1], args[1], 'rollcall', 'system')
      if unknown_org(X) then return answer(X, R.refuse('not_found')) end
      -- Read before the body writes, as nothing may fail after that.
      X.due = next_due(X)
      return answer(X, body(X, unpack(args, 2)))
    end)
  end

  -- What a reply is made of once everything is written, by kind: functions of the unit and an id.
  R.payloads = {}

  local function payload_of(X, described)
    if not described.kind then return described end
    return R.payloads[described.kind](X, described.id)
  end

  -- Counts one more keyed call of the caller; false where they have made too many.
  local function counted(X, keep_ms)
    if tonumber(keep_ms) < keyed_ms_min then return true end
    local key = X.p .. 'keyed:' .. X.by.role .. ':' .. R.part[X.by.sub]
    local count = tonumber(redis.call('GET', key) or 0) or R.corrupt(key)
    X.after[#X.after + 1] = { 'INCR', key }
    if count == 0 then X.after[#X.after + 1] = { 'PEXPIRE', key, R.text(R.remembered_ms) } end
    return count < (keyed_day_max[X.by.role] or keyed_day_others_max)
  end

  -- Remembers how the command ended: its reply, or, where work is left, what the reply will be made of.
  local function remember(X, command, args, tag, described, reply)
    local personal = described.kind == 'member'
    local done = { at = X.now, print = args[5], tag = tag, later = (not reply or personal) and described or nil }
    if reply and personal and tonumber(args[6]) >= keyed_ms_min then
      R.keep_reply(X, described.id, args[4], reply, args[6])
    elseif not personal then
      done.reply = reply
    end
    redis.call('SET', command, cjson.encode(done), 'PX', args[6])
  end

  -- The reply of a command that was carried out before.
  local function repeated(X, command, args, done)
    local described = done.later
    if not described then return sent(X, done.reply) end
    local reply = described.kind == 'member' and R.kept_reply(X, described.id, args[4])
    if reply then return sent(X, reply) end
    local early = unsettled(X, 'BEGUN')
    if early then return early end
    local payload = payload_of(X, described)
    if not payload then return answer(X, R.refuse('not_found', nil, 'member')) end
    reply = reply_of(X, done.tag, payload)
    remember(X, command, args, done.tag, described, reply)
    return sent(X, reply)
  end

  local function carry_out(X, name, command, args, body)
    local tag, described = body(X, unpack(args, 7))
    -- Whatever a refused call has changed is only in its copies, and ends with it.
    if tag == 'REFUSED' or tag == 'RETRY' then return answer(X, tag, described) end
    if not counted(X, args[6]) then return answer(X, R.rate_limited(X, X.now + R.remembered_ms)) end
    if described.kind == 'member' then X.types[R.member_key(X, described.id, 'replies')] = 'hash' end
    local finished = R.run(X, X.now)
    if finished and X.settle_again then finished = R.settle(X) end
    R.flush(X)
    if not finished or X.org.reterm then
      remember(X, command, args, tag, described)
      X.more = true
      return answer(X, 'BEGUN', {})
    end
    local reply = reply_of(X, tag, payload_of(X, described))
    remember(X, command, args, tag, described, reply)
    return sent(X, reply)
  end

  --[[ Registers a function that writes. ARGV 1 now_ms, 2 sub, 3 role, 4 command, 5 fingerprint, 6 keep_ms, then
    its own. The body returns a tag and either the payload or what it is made of once all is written: { kind = …, id = … }
    of R.payloads. What the body asks for with R.step, R.look and R.touched is done before the answer. ]]
  function R.write(name, body)
    local personal = name == 'put_member'
    register(name .. '_@HASH@', function(keys, args)
      if not redis then take_over() end
      local X = R.open(keys[1], args[1], args[2], args[3])
      local command = X.p .. (personal and 'told:' or 'done:') .. args[4]
      local kept = redis.call('GET', command)
      if kept then
        local done = cjson.decode(kept)
        if X.now - done.at < R.remembered_ms then
          if done.print ~= args[5] then return answer(X, R.refuse('idempotency_mismatch')) end
          return repeated(X, command, args, done)
        end
      end
      if unknown_org(X) and name ~= 'put_org' then return answer(X, R.refuse('not_found')) end
      return unsettled(X, 'AGAIN') or carry_out(X, name, command, args, body)
    end)
  end
end
