#!lua name=rollcall_@HASH@
--[[ The shared table of the library: one call is one unit of work.

  A function reads what it needs through the unit `X`, changes the copies it holds, and only then the
  unit is flushed: key types are checked first, the first write follows, and nothing after it can fail.
  An error anywhere before that leaves no trace.

  Keys of one organisation, all under the prefix rc:{org}:
    org                   hash    name zone currency policy revision clock time changes ms
    clubs                 hash    club id -> name
    class:<id>            hash    what is taught, the terms, status, counters
    class:<id>:roster     zset    bookings with a spot (booked, checked_in) by ticket
    class:<id>:queue      zset    bookings on the waitlist by ticket
    class:<id>:offers     zset    bookings with an offered spot by ticket
    class:<id>:late       zset    late cancels not yet forgiven, by change number
    class:<id>:void       zset    no-shows, by ticket
    class:<id>:history    list    the class's events, oldest first: "<cursor> <line>"
    booking:<id>          hash    member, class, status, ticket, how it was paid, times
    member:<id>           hash    name, contact, membership, ban, open fees
    member:<id>:upcoming  zset    live bookings by class start
    member:<id>:history   zset    all bookings by change number
    member:<id>:strikes   zset    bookings that count as strikes, by class start
    members               zset    member ids, by id
    members:index         zset    "<term>\t<id>" for look-up by id, phone or name
    classes               zset    class ids by start
    club:<id>:classes     zset    the same for one club
    unopened              zset    classes whose booking has not opened, by opening
    series                hash    series id -> JSON {body, status, revision}
    series:published      hash    series id -> the last day published
    timers                zset    what falls due, by instant; equal instants in the order of the text
    fees                  stream  the ledger, under the change number
    events                stream  everything that happened, under <ms>-<change number>
    done:<command>        string  the remembered reply of a command
]]
local R = {
  settle_items_max = 100,   -- due items one call carries out before it asks to be called again
  promotions_max = 100,     -- promotions and offers one call makes; the rest is reserved and due at once
  scan_max = 1000,          -- index entries one listing call looks at
  near_ms = 93600000,       -- 26 h: a class that overlaps another or shares its local day starts within this
  remembered_ms = 86400000, -- 24 h: for so long a repeated command gets the same reply
}

do -- numbers and text
  function R.text(v)
    if v == nil then return '' end
    if type(v) == 'number' then return string.format('%.0f', v) end
    if v == true then return '1' end
    if v == false then return '' end
    return v
  end

  -- Whether a text comes first byte by byte, as Redis sorts; Lua's own `<` follows the locale the server was started in.
  function R.before(a, b)
    for i = 1, math.min(#a, #b) do
      local x, y = string.byte(a, i), string.byte(b, i)
      if x ~= y then return x < y end
    end
    return #a < #b
  end

  function R.corrupt(what)
    error('CORRUPT ' .. what, 0)
  end
end

do -- hashes: loaded once per call, written back by field
  -- What the core reads of each hash. Everything else in it is only described.
  local kinds = {
    org = { text = 'name zone currency', number = 'revision clock time changes ms' },
    class = {
      text = 'club category instructor zone date status late mode then quiet currency below_minimum untouched_roster'
        .. ' started closed untouched',
      number = 'starts ends capacity booked offered waiting reserved checked_in ticket minimum min_age revision'
        .. ' opens_at closes_at cancel_by promote_until decide_at check_in_opens check_in_due check_in_closes'
        .. ' daily_limit open_limit allow_overlap late_fee late_is_strike forgive waitlist_max offer_ms grace_ms'
        .. ' leave_overlapping check_in_fee no_show_fee strikes strike_window_ms ban_ms change_notice_ms'
        .. ' queued promoted promoted_ms late_cancels no_shows',
    },
    booking = {
      text = 'class member status paid_with clip_charged late_clip_charged currency late present first_time walk_in'
        .. ' excused lifted late_charged fee_late_cancel fee_late_check_in fee_no_show'
        .. ' waived_late_cancel waived_late_check_in waived_no_show',
      number = 'ticket offer_expires_at free_until fee created_at updated_at strike',
    },
    member = {
      text = 'status plan clips_revision valid_from valid_until clubs categories frozen born index erased',
      number = 'clips banned_until open_fees visits',
    },
  }

  -- The names of a kind, split on first use: while a library loads, Redis has no string functions.
  local function fields_of(kind)
    local fields = kinds[kind]
    if not fields.list then
      fields.list, fields.known, fields.is_number = {}, {}, {}
      for _, type_ in ipairs({ 'text', 'number' }) do
        for name in string.gmatch(fields[type_], '%S+') do
          fields.list[#fields.list + 1] = name
          fields.known[name] = true
          fields.is_number[name] = type_ == 'number'
        end
      end
    end
    return fields
  end

  function R.load(X, kind, id)
    local key = kind == 'org' and X.p .. 'org' or X.p .. kind .. ':' .. id
    local e = X.entities[key]
    if e ~= nil then return e or nil end
    local fields = fields_of(kind)
    local values = redis.call('HMGET', key, unpack(fields.list))
    e = { key = key, id = id, dirty = {}, found = false }
    for i, name in ipairs(fields.list) do
      local v = values[i]
      if v then
        e.found = true
        if v == '' then
          v = nil
        elseif fields.is_number[name] then
          v = tonumber(v) or R.corrupt(key .. ' ' .. name)
        end
        e[name] = v
      end
    end
    if kind ~= 'org' and not e.found then
      X.entities[key] = false
      return nil
    end
    X.entities[key] = e
    return e
  end

  -- A hash that does not exist yet; its key must be free.
  function R.create(X, kind, id)
    local e = { key = X.p .. kind .. ':' .. id, id = id, dirty = {}, found = true }
    X.entities[e.key] = e
    X.types[e.key] = 'hash'
    return e
  end

  function R.set(X, e, name, value)
    if e[name] ~= value then
      e[name] = value
      if next(e.dirty) == nil then X.changed[#X.changed + 1] = e end
      e.dirty[name] = true
    end
  end

  -- Fields the core never reads back (names, titles, JSON): straight to the flush.
  function R.describe(X, e, name, value)
    e.described = e.described or {}
    if next(e.dirty) == nil then X.changed[#X.changed + 1] = e end
    e.dirty[name] = true
    e.described[name] = value
  end

  -- Name and value pairs as they come from outside: what the core reads becomes typed, the rest is described.
  function R.assign(X, e, kind, list)
    local fields = fields_of(kind)
    for i = 1, #list, 2 do
      local name, value = list[i], list[i + 1]
      e[name .. '_list'] = nil
      if not fields.known[name] then
        R.describe(X, e, name, value)
      elseif value == '' then
        R.set(X, e, name, nil)
      else
        R.set(X, e, name, fields.is_number[name] and (tonumber(value) or R.corrupt(name)) or value)
      end
    end
  end

  function R.class(X, id) return R.load(X, 'class', id) end
  function R.booking(X, id)
    return R.load(X, 'booking', id) or R.corrupt('booking ' .. id .. ' is missing')
  end
  function R.member(X, id) return R.load(X, 'member', id) end
  function R.class_of(X, b)
    return R.class(X, b.class) or R.corrupt('class ' .. b.class .. ' is missing')
  end
  function R.member_of(X, b)
    return R.member(X, b.member) or R.corrupt('member ' .. b.member .. ' is missing')
  end
end

do -- sorted sets: reads see what this call has already put
  function R.z(X, name)
    local z = X.sets[name]
    if not z then
      z = { key = X.p .. name, put = {} }
      X.sets[name] = z
    end
    return z
  end

  function R.put(z, member, score) z.put[member] = score end
  function R.drop(z, member) z.put[member] = false end

  function R.score(z, member)
    local put = z.put[member]
    if put ~= nil then return put or nil end
    z.known = true
    return tonumber(redis.call('ZSCORE', z.key, member) or nil)
  end

  -- Entries {id, score} with lo <= score <= hi in order; `most` bounds how many are read.
  function R.range(z, lo, hi, most)
    local dropped = 0
    for _ in pairs(z.put) do dropped = dropped + 1 end
    z.known = true
    local low = lo and R.text(lo) or '-inf'
    local high = hi and R.text(hi) or '+inf'
    local raw
    if most then
      raw = redis.call('ZRANGEBYSCORE', z.key, low, high, 'WITHSCORES', 'LIMIT', 0, most + dropped)
    else
      raw = redis.call('ZRANGEBYSCORE', z.key, low, high, 'WITHSCORES')
    end
    local out = {}
    for i = 1, #raw, 2 do
      if z.put[raw[i]] == nil then out[#out + 1] = { id = raw[i], score = tonumber(raw[i + 1]) } end
    end
    if dropped > 0 then
      for id, score in pairs(z.put) do
        if score and (not lo or score >= lo) and (not hi or score <= hi) then
          out[#out + 1] = { id = id, score = score }
        end
      end
      table.sort(out, function(a, b)
        if a.score ~= b.score then return a.score < b.score end
        return R.before(a.id, b.id)
      end)
      while most and #out > most do out[#out] = nil end
    end
    return out
  end
end

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
