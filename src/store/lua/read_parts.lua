--[[ read_parts: parts of live documents, as many as one call may look at.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2… kind, name pairs: face, roster, entry, mine, me: an id; standing: "id start booking"; day: "club date from to"
  REPLY  PARTS <epoch> <policy> <part: empty where there is no such thing; the text 'later' where it must be asked again>…
  EVENTS none
  WHY    what is named here is all of one moment, and with the version in the cursor what the stream has after it is
         exactly what it lacks; of a document with many parts, those that found no room are named by their ids alone ]]
do
  local week_ms = 604800000
  local day_ms = 86400000
  local looks_max = 180      -- stored things one call looks at; its first part may be a few more
  local ids_per_look = 40    -- ids that are read in a row cost as much as one thing that is looked at
  local history_max = 200    -- of a member's newest bookings, looked at for what ended in the last week
  local places_max = 1000    -- of a member's places from the last week on
  local classes_max = 1000   -- of a club's, around one day
  local days_max = 400       -- before and after today: further away no class is kept, and none published
  local face_fields = {
    'status', 'club', 'date', 'title', 'room', 'instructor', 'instructor_name', 'starts', 'ends', 'capacity', 'booked',
    'offered', 'reserved', 'waiting', 'checked_in', 'minimum', 'revision',
  }
  local mine_fields = { 'title', 'club', 'date', 'starts', 'ends' }
  local later = 'later'
  local of = {}

  local function looked_at(X) return X.spent - X.began end

  -- Whether there is room for so many more; the first part always has it, so that each call gets on.
  local function fits(X, looks) return X.first_part or looked_at(X) + looks <= looks_max end

  local function ids_cost(count) return math.ceil(count / ids_per_look) end

  local function described(values, names, out)
    for i, name in ipairs(names) do
      out[#out + 1] = name
      out[#out + 1] = values[i] or ''
    end
    return out
  end

  local function face(X, id)
    X.spent = X.spent + 1
    local values = redis.call('HMGET', X.p .. 'class:' .. id, unpack(face_fields))
    return values[1] and described(values, face_fields, { 'id', id })
  end

  -- A part of a document: read while there is room, otherwise named.
  local function add(X, out, kind, id, cost)
    if looked_at(X) + cost > looks_max then
      out[#out + 1] = id
    else
      local part = of[kind](X, id)
      if part == later then part = id end
      if #part > 0 then out[#out + 1] = part end
    end
  end

  function of.face(X, id)
    local found = face(X, id)
    return found and { found } or {}
  end

  function of.day(X, name)
    local club, date, from, to = string.match(name, '^(%S+) (%S+) (%S+) (%S+)$')
    local first, last = tonumber(from), tonumber(to)
    if last < X.now - days_max * day_ms or first > X.now + days_max * day_ms then return {} end
    if redis.call('HEXISTS', X.p .. 'clubs', club) == 0 then return {} end
    local key = X.p .. 'club:' .. club .. ':classes'
    if not fits(X, 1 + ids_cost(math.min(classes_max, redis.call('ZCOUNT', key, from, to)))) then return later end
    local ids, out = redis.call('ZRANGEBYSCORE', key, from, to, 'LIMIT', 0, classes_max), { club }
    X.spent = X.spent + 1 + ids_cost(#ids)
    for _, id in ipairs(ids) do
      if looked_at(X) >= looks_max then
        out[#out + 1] = id
      else
        local found = redis.call('HGET', X.p .. 'class:' .. id, 'date') == date and face(X, id)
        if found then out[#out + 1] = { found } else X.spent = X.spent + 1 end
      end
    end
    return out
  end

  -- A booking on the roster or the waitlist, with its name; a no-show stays listed.
  function of.entry(X, id)
    if not fits(X, 3) then return later end
    local b = R.load(X, 'booking', id)
    if not b or (not R.live[b.status] and b.status ~= 'no_show') then return {} end
    X.spent = X.spent + (b.status == 'waitlisted' and 2 or 1)
    return { R.booking_doc(X, b), redis.call('HGET', X.p .. 'member:' .. R.part[b.member], 'name') or '' }
  end

  function of.roster(X, id)
    local key, count = X.p .. 'class:' .. id .. ':', 0
    for _, set in ipairs({ 'void', 'roster', 'offers', 'queue' }) do count = count + redis.call('ZCARD', key .. set) end
    if not fits(X, 1 + ids_cost(count)) then return later end
    local found = face(X, id)
    if not found then return {} end
    local queue = redis.call('ZRANGE', key .. 'queue', 0, -1)
    local out, listed = { found, queue }, { queue }
    for i, set in ipairs({ 'void', 'roster', 'offers' }) do listed[i + 1] = redis.call('ZRANGE', key .. set, 0, -1) end
    X.spent, X.first_part = X.spent + ids_cost(count), false
    for _, ids in ipairs(listed) do
      for _, booking in ipairs(ids) do add(X, out, 'entry', booking, 3) end
    end
    return out
  end

  -- A member's booking that is ahead or of the last week, its class, and the queue it stands in.
  function of.mine(X, id)
    if not fits(X, 3) then return later end
    local b = R.load(X, 'booking', id)
    if not b then return {} end
    local key, since = X.p .. 'class:' .. b.class, X.now - week_ms
    local waits = b.status == 'waitlisted'
    local cost = waits and ids_cost(redis.call('ZCARD', key .. ':queue')) or 0
    if not fits(X, 1 + cost) then return later end
    local values = redis.call('HMGET', key, unpack(mine_fields))
    local ends = tonumber(values[5] or nil) or R.corrupt('class ' .. b.class .. ' is missing')
    X.spent = X.spent + 1 + cost
    if ends <= since and b.updated_at <= since then return {} end
    local queue = waits and redis.call('ZRANGE', key .. ':queue', 0, -1) or {}
    return { R.booking_doc(X, b), described(values, mine_fields, {}), queue }
  end

  function of.standing(X, name)
    local id, after, after_id = string.match(name, '^(%S+) (%S*) (%S*)$')
    local m = R.known_member(X, id)
    if not m then return {} end
    if not fits(X, R.standing_cost(X, m)) then return later end
    local standing = R.standing_of(X, m, after, after_id)
    return { standing[1], standing[2], standing[3] }
  end

  -- A booking that is ahead and in the history is read once.
  function of.me(X, id)
    local m = R.known_member(X, id)
    if not m then return {} end
    local key, since = X.p .. 'member:' .. R.part[id] .. ':', R.text(X.now - week_ms - day_ms)
    local count = math.min(places_max, redis.call('ZCOUNT', key .. 'upcoming', since, '+inf'))
      + math.min(history_max, redis.call('ZCARD', key .. 'history'))
    if not fits(X, R.standing_cost(X, m) + ids_cost(count)) then return later end
    local standing, seen = R.standing_of(X, m), {}
    local out = { { standing[1], standing[2], standing[3] } }
    local ahead = redis.call('ZRANGEBYSCORE', key .. 'upcoming', since, '+inf', 'LIMIT', 0, places_max)
    X.spent, X.first_part = X.spent + ids_cost(count), false
    for _, ids in ipairs({ ahead, redis.call('ZREVRANGE', key .. 'history', 0, history_max - 1) }) do
      for _, booking in ipairs(ids) do
        if not seen[booking] then
          seen[booking] = true
          add(X, out, 'mine', booking, 3)
        end
      end
    end
    return out
  end

  R.read('read_parts', function(X, ...)
    local asked = { ... }
    X.began, X.first_part = X.spent, true
    local epoch = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
    local out = { epoch or R.corrupt('INFO replication'), redis.call('HGET', X.org.key, 'policy') or '' }
    for i = 1, #asked, 2 do
      local part = of[asked[i]](X, asked[i + 1])
      if part ~= later then X.first_part = false end
      out[#out + 1] = part
    end
    return 'PARTS', out
  end)
end
