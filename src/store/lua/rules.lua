--[[ What a member may do in a class at an instant: spots, obstacles, quiet hours. Reads only. ]]
do
  function R.spots(c) return c.capacity - c.booked - c.offered end

  -- Spots a newcomer could take, as the class shows them.
  function R.free(c) return math.max(0, R.spots(c) - c.reserved) end

  function R.minimum(c) return math.min(c.minimum or 0, c.capacity) end

  local holds = { booked = true, offered = true, checked_in = true }
  R.live = { booked = true, offered = true, checked_in = true, waitlisted = true }

  local decoded = memo(function(text) return cjson.decode(text) end)

  -- The list a field holds, never to be changed, or nil.
  local function listed(e, name)
    local text = e[name]
    return text and text ~= 'all' and decoded[text] or nil
  end

  local function in_scope(m, name, value)
    local only = listed(m, name)
    if not only or value == nil then return true end
    for _, allowed in ipairs(only) do
      if allowed == value then return true end
    end
    return false
  end

  -- The last day of the frozen span that holds the date, or nil.
  function R.frozen_until(m, date)
    for _, span in ipairs(listed(m, 'frozen') or {}) do
      if span[1] <= date and date <= span[2] then return span[2] end
    end
  end

  function R.ended(m, date)
    return m.status == 'ended' or (m.valid_until ~= nil and date > m.valid_until)
  end

  local function age_on(born, date)
    local years = tonumber(string.sub(date, 1, 4)) - tonumber(string.sub(born, 1, 4))
    if string.sub(date, 6) < string.sub(born, 6) then years = years - 1 end
    return years
  end

  -- The member's live bookings with class start in [lo, hi], or those of one status, in order of start, then class id.
  function R.places(X, m, lo, hi, status)
    local out = {}
    for _, entry in ipairs(R.range(R.upcoming(X, m.id), lo, hi)) do
      local b = R.booking(X, entry.id)
      if not status or b.status == status then out[#out + 1] = { booking = b, class = R.class_of(X, b) } end
    end
    if #out < 2 then return out end
    table.sort(out, function(a, b)
      if a.class.starts ~= b.class.starts then return a.class.starts < b.class.starts end
      return R.before(a.class.id, b.class.id)
    end)
    return out
  end

  function R.live_in(X, m, c)
    for _, entry in ipairs(R.range(R.upcoming(X, m.id), c.starts, c.starts)) do
      local b = R.booking(X, entry.id)
      if b.class == c.id then return b end
    end
  end

  function R.overlaps(a, b) return a.starts < b.ends and b.starts < a.ends end

  local function near(X, m, c)
    return R.range(R.upcoming(X, m.id), c.starts - R.near_ms, c.starts + R.near_ms)
  end

  local function held_obstacle(X, m, c)
    local may_overlap, same_day = (c.allow_overlap or 0) ~= 0, 0
    if may_overlap and not c.daily_limit then return end
    for _, entry in ipairs(near(X, m, c)) do
      local b = R.booking(X, entry.id)
      if holds[b.status] and b.class ~= c.id then
        local other = R.class_of(X, b)
        if not may_overlap and R.overlaps(c, other) then return 'overlap' end
        if other.date == c.date then same_day = same_day + 1 end
      end
    end
    if c.daily_limit and same_day >= c.daily_limit then return 'daily_limit' end
  end

  -- The first rule that keeps the member from a spot in the class, or nil; with it, when it ends.
  function R.obstacle(X, m, c, at)
    if R.ended(m, c.date) then return 'membership_ended' end
    if m.status == 'blocked' or (m.valid_from and c.date < m.valid_from) then return 'not_entitled' end
    if not in_scope(m, 'clubs', c.club) or not in_scope(m, 'categories', c.category) then return 'not_entitled' end
    local frozen = R.frozen_until(m, c.date)
    if frozen then return 'frozen', frozen end
    if c.min_age and c.min_age > 0 and (not m.born or age_on(m.born, c.date) < c.min_age) then return 'too_young' end
    if m.banned_until and at < m.banned_until then return 'banned', m.banned_until end
    if m.plan == 'clips' and (m.clips or 0) <= 0 then return 'no_clips' end
    return held_obstacle(X, m, c)
  end

  local near_places_max = 100 -- live places of one member around a class: each is looked at to tell overlaps

  function R.over_open_limit(X, m, c, at)
    if #near(X, m, c) >= near_places_max then return true end
    if not c.open_limit then return false end
    return #R.range(R.upcoming(X, m.id), at + 1, nil, c.open_limit) >= c.open_limit
  end

  -- What bars everyone from booking the class at the instant: a code and when it ends, or nil.
  function R.shut(c, at)
    if c.status == 'cancelled' then return 'class_cancelled' end
    if c.status == 'finished' then return 'class_finished' end
    if at < c.opens_at then return 'not_open', c.opens_at end
    if at >= c.closes_at then return 'closed' end
  end

  -- May a newcomer take a spot now, ahead of everyone who waits?
  function R.newcomer_fits(c, at, desk)
    if R.free(c) == 0 then return false end
    return at < c.promote_until or c['then'] == 'first_come' or c.waiting == 0 or desk
  end

  -- Why a newcomer could not even queue, or nil.
  function R.queue_shut(c, at, waitlist, desk)
    if not waitlist then return 'full' end
    if at >= c.promote_until and not desk then return 'waitlist_closed' end
    if c.waiting >= c.waitlist_max then return 'waitlist_full' end
  end

  -- The end of the quiet span that holds the instant, or nil.
  function R.quiet_until(c, at)
    for _, span in ipairs(c.mode == 'offer' and listed(c, 'quiet') or {}) do
      if span[1] <= at and at < span[2] then return span[2] end
    end
  end

  -- When an offer made at the instant runs out: its clock stands still in quiet hours.
  function R.offer_end(c, at)
    local left = c.offer_ms
    for _, span in ipairs(listed(c, 'quiet') or {}) do
      if span[2] > at then
        if span[1] >= at + left then break end
        left = left - math.max(0, span[1] - at)
        at = span[2]
      end
    end
    return math.min(at + left, c.promote_until)
  end
end
