--[[ change_class: the club changes time, room, instructor, capacity or wording.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms
         7 class  8 revision the change was computed from  9 If-Match ('' = none)  10… name, value pairs that differ
  REPLY  CLASS <id> <class> | RETRY | REFUSED <code> <until> <detail>
  EVENTS class_changed, and what a higher capacity or another time causes
  WHY    new instants are computed outside and taken only when nothing changed in between ]]
do
  -- Begins moving the class: late notice or another day lets the booked leave free.
  local function move(X, c, old)
    local earlier = math.min(old.starts, c.starts)
    local short = earlier - X.now < c.change_notice_ms or c.date ~= old.date
    R.step(X, { kind = 'move', class = c.id, short = short })
  end

  -- The clock of every live booking follows the class.
  function R.steps.move(X, entry)
    local c, timers = R.class(X, entry.class), R.z(X, 'timers')
    return R.each_booking(X, entry, c, { 'roster', 'offers', 'queue' }, function(b)
      R.put(R.upcoming(X, b.member), b.id, c.starts)
      local booked = b.status == 'booked' or b.status == 'checked_in'
      if entry.short and booked then R.set(X, b, 'free_until', math.max(b.free_until or 0, c.starts)) end
      if b.status == 'offered' and c.promote_until < b.offer_expires_at then
        R.set(X, b, 'offer_expires_at', c.promote_until)
        R.put(timers, R.offer_timer(b), c.promote_until)
      end
      R.touched(X, b.member)
    end)
  end

  -- Why the change cannot be made, from what is stored and what it would become.
  local function refusal(X, c, new)
    if c.status == 'cancelled' then return 'class_cancelled' end
    if c.status == 'finished' then return 'class_finished' end
    if new.starts and new.starts ~= c.starts then
      if X.now >= c.starts then return 'wrong_status' end
      if new.starts < X.now then return 'invalid', '/starts_at', 'lies in the past' end
      if R.closed_on(X, c.club, new.date or c.date) then return 'invalid', '/starts_at', R.closed_then end
    end
    -- One that is not given is the policy's, which never exceeds the capacity in effect.
    if (tonumber(new.minimum_given) or 0) > (new.capacity or c.capacity) then
      return 'invalid', '/minimum', 'is more than the capacity'
    end
  end

  -- Every instant that has a timer.
  local function timed(c)
    return table.concat({ c.opens_at, c.decide_at, c.starts, c.check_in_closes, c.ends }, ' ')
  end

  -- Makes the change that `list` (name, value pairs that differ) describes, and what follows from it.
  function R.change(X, c, list)
    local new, named = {}, {}
    for i = 1, #list, 2 do
      new[list[i]] = tonumber(list[i + 1]) or list[i + 1]
      named[#named + 1] = list[i]
    end
    local code, until_, detail = refusal(X, c, new)
    if code then return code, until_, detail end
    if #list == 0 then return end
    local old = {
      starts = c.starts, ends = c.ends, date = c.date, capacity = c.capacity, opens_at = c.opens_at,
      category = c.category, instructor = c.instructor,
    }
    local old_timers = timed(c)
    R.assign(X, c, 'class', list)
    if c.status == 'open' then R.set(X, c, 'opens_at', old.opens_at) end
    R.set(X, c, 'revision', c.revision + 1)
    if c.starts ~= old.starts or c.ends ~= old.ends then move(X, c, old) end
    if c.starts ~= old.starts or c.category ~= old.category or c.instructor ~= old.instructor then
      R.index_class(X, c)
    end
    if timed(c) ~= old_timers then R.class_timers(X, c, true) end
    R.emit(X, 'class_changed', X.now, { class = c, data = { changed = named } })
    R.look(X, c, c.capacity > old.capacity)
    X.settle_again = true
  end

  R.write('change_class', function(X, id, seen, match, ...)
    local c = R.class(X, id)
    if not c then return R.refuse('not_found', nil, 'class') end
    if match ~= '' and c.revision ~= tonumber(match) then return R.refuse('stale') end
    if c.revision ~= tonumber(seen) then return 'RETRY', {} end
    local code, until_, detail = R.change(X, c, { ... })
    if code then return R.refuse(code, until_, detail) end
    return 'CLASS', R.class_reply(c)
  end)
end
