--[[ read_parts: parts of live documents, all of one moment.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2… kind, name pairs: face, roster, entry, mine, me, standing and an id; day and "club date from_ms to_ms"
  REPLY  PARTS <epoch> <policy> <part: empty where there is no such thing>…
  EVENTS none
  WHY    with the version in the cursor, what the stream has after it is exactly what these parts lack ]]
do
  local week_ms = 604800000
  local me_history_max = 200 -- of a member's newest bookings, looked at for what ended in the last week
  local face_fields = {
    'status', 'club', 'date', 'title', 'room', 'instructor', 'instructor_name', 'starts', 'ends', 'capacity', 'booked',
    'offered', 'reserved', 'waiting', 'checked_in', 'minimum', 'revision',
  }
  local of = {}

  function of.face(X, id)
    local values, out = redis.call('HMGET', X.p .. 'class:' .. id, unpack(face_fields)), { 'id', id }
    if not values[1] then return {} end
    for i, name in ipairs(face_fields) do
      out[#out + 1] = name
      out[#out + 1] = values[i] or ''
    end
    return { out }
  end

  function of.day(X, name)
    local club, date, from, to = string.match(name, '^(%S+) (%S+) (%S+) (%S+)$')
    if redis.call('HEXISTS', X.p .. 'clubs', club) == 0 then return {} end
    local out = { club }
    for _, entry in ipairs(R.range(R.z(X, 'club:' .. club .. ':classes'), tonumber(from), tonumber(to), R.scan_max)) do
      if redis.call('HGET', X.p .. 'class:' .. entry.id, 'date') == date then out[#out + 1] = of.face(X, entry.id)[1] end
    end
    return out
  end

  -- A booking on the roster or the waitlist, with its name; a no-show stays listed.
  local function entry(X, b)
    if not R.live[b.status] and b.status ~= 'no_show' then return {} end
    return { R.booking_doc(X, b), redis.call('HGET', X.p .. 'member:' .. b.member, 'name') or '' }
  end

  function of.entry(X, id)
    local b = R.load(X, 'booking', id)
    return b and entry(X, b) or {}
  end

  function of.roster(X, id)
    local c = R.class(X, id)
    if not c then return {} end
    local out = of.face(X, id)
    for _, v in ipairs(R.range(R.z(X, 'class:' .. id .. ':void'))) do out[#out + 1] = entry(X, R.booking(X, v.id)) end
    for _, b in ipairs(R.live_bookings(X, c)) do out[#out + 1] = entry(X, b) end
    return out
  end

  -- A member's booking that is ahead or of the last week, its class, and the queue it stands in.
  local function mine(X, b)
    local c, since = R.class_of(X, b), X.now - week_ms
    if not R.live[b.status] and c.ends <= since and b.updated_at <= since then return {} end
    local queue = {}
    if b.status == 'waitlisted' then queue = redis.call('ZRANGE', c.key .. ':queue', 0, -1) end
    local title = redis.call('HGET', c.key, 'title')
    local class = { 'title', title, 'club', c.club, 'date', c.date, 'starts', R.text(c.starts), 'ends', R.text(c.ends) }
    return { R.booking_doc(X, b), class, queue }
  end

  function of.mine(X, id)
    local b = R.load(X, 'booking', id)
    return b and mine(X, b) or {}
  end

  function of.standing(X, id)
    local m = R.known_member(X, id)
    if not m then return {} end
    local standing = R.standing_of(X, m)
    return { standing[1], standing[2], standing[3] }
  end

  function of.me(X, id)
    local standing = of.standing(X, id)
    if #standing == 0 then return {} end
    local out, seen, key = { standing }, {}, X.p .. 'member:' .. id
    local function add(booking)
      if seen[booking] then return end
      seen[booking] = true
      local part = of.mine(X, booking)
      if #part > 0 then out[#out + 1] = part end
    end
    for _, place in ipairs(R.range(R.upcoming(X, id))) do add(place.id) end
    for _, booking in ipairs(redis.call('ZREVRANGE', key .. ':history', 0, me_history_max - 1)) do add(booking) end
    return out
  end

  R.read('read_parts', function(X, ...)
    local asked = { ... }
    local epoch = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
    local out = { epoch or R.corrupt('INFO replication'), redis.call('HGET', X.org.key, 'policy') or '' }
    for i = 1, #asked, 2 do out[#out + 1] = of[asked[i]](X, asked[i + 1]) end
    return 'PARTS', out
  end)
end
