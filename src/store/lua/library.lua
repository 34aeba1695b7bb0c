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
      number = 'clips banned_until ban_ended open_fees visits',
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
