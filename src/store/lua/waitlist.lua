--[[ Spots and places: taking, leaving, promoting, offering, and looking again when an obstacle went. ]]
do
  -- One of the class's sets: roster, queue or offers.
  local function set(X, c, name)
    return R.z(X, 'class:' .. c.id .. ':' .. name)
  end

  function R.offer_timer(b)
    return string.format('b %s 1 %08d %s', b.class, b.ticket, b.id)
  end

  -- A new booking of the class, not yet on roster or queue.
  function R.new_booking(X, id, c, m, at)
    local b = R.create(X, 'booking', id)
    R.set(X, c, 'ticket', (c.ticket or 0) + 1)
    R.set(X, b, 'class', c.id)
    R.set(X, b, 'member', m.id)
    R.set(X, b, 'ticket', c.ticket)
    R.set(X, b, 'created_at', at)
    R.set(X, b, 'updated_at', at)
    R.set(X, b, 'paid_with', m.plan == 'clips' and 'clip' or 'membership')
    R.put(R.upcoming(X, m.id), id, c.starts)
    -- the change number of the event that follows
    R.put(R.of_member(X, m.id, 'history'), id, (X.org.changes or 0) + 1)
    return b
  end

  -- The booking takes a spot: roster, counter, clip.
  function R.take_spot(X, c, b, m, at)
    R.set(X, b, 'status', 'booked')
    R.set(X, b, 'updated_at', at)
    R.put(set(X, c, 'roster'), b.id, b.ticket)
    R.set(X, c, 'booked', c.booked + 1)
    R.take_clip(X, b, m)
    R.touched(X, m.id)
  end

  function R.join_queue(X, c, b, at)
    R.set(X, b, 'status', 'waitlisted')
    R.put(set(X, c, 'queue'), b.id, b.ticket)
    R.set(X, c, 'waiting', c.waiting + 1)
    R.set(X, c, 'queued', (c.queued or 0) + 1)
  end

  -- The booking gives up its spot, offer or place in the queue, still live.
  local function step_out(X, c, b)
    if b.status == 'waitlisted' then
      R.drop(set(X, c, 'queue'), b.id)
      R.set(X, c, 'waiting', c.waiting - 1)
    elseif b.status == 'offered' then
      R.drop(set(X, c, 'offers'), b.id)
      R.set(X, c, 'offered', c.offered - 1)
      R.drop(R.z(X, 'timers'), R.offer_timer(b))
    else
      if b.status == 'checked_in' then R.set(X, c, 'checked_in', c.checked_in - 1) end
      R.drop(set(X, c, 'roster'), b.id)
      R.set(X, c, 'booked', c.booked - 1)
    end
  end

  -- The booking ends with the given status. What it held is free at once.
  function R.leave(X, c, b, status, at)
    step_out(X, c, b)
    R.set(X, b, 'status', status)
    R.set(X, b, 'updated_at', at)
    R.drop(R.upcoming(X, b.member), b.id)
    R.touched(X, b.member)
  end

  -- Ends a live booking at no cost: by its owner in time, by the desk, by the club.
  function R.leave_free(X, c, b, status, at, why)
    local event = b.status == 'waitlisted' and 'waitlist_left' or 'booking_cancelled'
    R.leave(X, c, b, status, at)
    local clip = R.return_clip(X, b, R.member_of(X, b))
    R.emit(X, event, at, { class = c, booking = b, data = { reason = why, clip_returned = clip or nil } })
  end

  -- The member's other waiting places that overlap a class they were promoted in.
  function R.steps.leave_overlapping(X, entry, at)
    local c = R.class(X, entry.class)
    return R.each_place(X, entry, R.member(X, entry.member), function(b)
      local other = R.class_of(X, b)
      if other.starts >= c.ends then return 'enough' end
      if b.status == 'waitlisted' and other ~= c and R.overlaps(c, other) then
        R.leave_free(X, other, b, 'cancelled', at, 'overlap')
        R.look(X, other, false)
      end
    end)
  end

  -- From waitlist or offer to roster: grace and leave_overlapping apply.
  function R.promote(X, c, b, m, at, how)
    step_out(X, c, b)
    R.take_spot(X, c, b, m, at)
    R.set(X, b, 'offer_expires_at', nil)
    if (c.grace_ms or 0) > 0 then R.set(X, b, 'free_until', math.max(b.free_until or 0, at + c.grace_ms)) end
    X.promotions = X.promotions + 1
    R.set(X, c, 'promoted', (c.promoted or 0) + 1)
    R.set(X, c, 'promoted_ms', (c.promoted_ms or 0) + at - b.created_at)
    R.emit(X, 'booking_promoted', at, { class = c, booking = b, data = { how = how } })
    R.forgive(X, at, c)
    if (c.leave_overlapping or 0) ~= 0 then
      R.step(X, { kind = 'leave_overlapping', class = c.id, member = m.id, from = c.starts - R.near_ms })
    end
    -- A member who stands by is here already.
    if b.present then R.arrive(X, c, b, m, at, false) end
  end

  local function offer(X, c, b, at)
    step_out(X, c, b)
    R.set(X, b, 'status', 'offered')
    R.set(X, b, 'updated_at', at)
    R.set(X, b, 'offer_expires_at', R.offer_end(c, at))
    R.put(set(X, c, 'offers'), b.id, b.ticket)
    R.set(X, c, 'offered', c.offered + 1)
    R.put(R.z(X, 'timers'), R.offer_timer(b), b.offer_expires_at)
    X.promotions = X.promotions + 1
    R.touched(X, b.member)
    R.emit(X, 'spot_offered', at, { class = c, booking = b, data = { expires_at = b.offer_expires_at } })
  end

  -- The bookings of some of the class's sets in ticket order, after a ticket, at most so many.
  function R.bookings_after(X, c, names, ticket, most)
    local out = {}
    for _, name in ipairs(names) do
      for _, entry in ipairs(R.range(set(X, c, name), ticket + 1, nil, most)) do
        out[#out + 1] = R.booking(X, entry.id)
      end
    end
    if #names > 1 then
      table.sort(out, function(a, b) return a.ticket < b.ticket end)
      while #out > most do out[#out] = nil end
    end
    return out
  end

  local function wake_at(X, c, at)
    R.put(R.z(X, 'timers'), 'b ' .. c.id .. ' 0', at)
  end

  -- True when reserved spots have become available: quiet hours are over, or promotion has ended. Then they count as
  -- freed, and those passed over are named.
  local function untold(X, c, at)
    return c.reserved > 0 and not X.settling and (at >= c.promote_until or not R.quiet_until(c, at))
  end

  -- What was reserved is remembered: the flush announces a change that nothing else has told of.
  local function reserve(X, c, spots)
    c.was_reserved = c.was_reserved or c.reserved
    R.set(X, c, 'reserved', spots)
  end

  local passed_max = 100 -- passed-over bookings that one event names; the rest is counted

  -- Notes that a booking was passed over, for the event that R.tell_passed makes.
  function R.note_passed(entry, b, why)
    entry.passed = entry.passed or {}
    if #entry.passed < passed_max then
      table.insert(entry.passed, { booking = b.id, member = b.member, reason = why })
    else
      entry.passed_more = (entry.passed_more or 0) + 1
    end
    entry.passed_sum = redis.sha1hex((entry.passed_sum or '') .. b.id .. why)
  end

  -- One event names those who were passed over. Where nobody was promoted over them, nothing is said again while neither
  -- the waitlist nor a reason has changed.
  function R.tell_passed(X, c, entry, at, promoted)
    if not entry.passed then return end
    local sum = table.concat({ c.queued or 0, c.waiting, entry.passed_sum }, ' ')
    if promoted or sum ~= c.passed_over then
      R.set(X, c, 'passed_over', sum)
      R.emit(X, 'promotion_passed_over', at, {
        class = c, data = { passed = entry.passed, more = entry.passed_more },
      })
    end
    entry.passed, entry.passed_more, entry.passed_sum = nil, nil, nil
  end

  -- One pass over the waitlist, in ticket order among those who may. `entry` says how far it came; false: there is more.
  local function pass(X, c, at, entry)
    local quiet = R.quiet_until(c, at)
    local function enough() return R.spots(c) <= entry.reserved end
    local done = enough() or R.each_booking(X, entry, c, { 'queue' }, function(b)
      local m = R.member_of(X, b)
      local why = R.obstacle(X, m, c, at)
      if why then
        if entry.freed and not quiet then R.note_passed(entry, b, why) end
      elseif quiet then
        entry.reserved = entry.reserved + 1
      else
        R.tell_passed(X, c, entry, at, true)
        if c.mode == 'offer' then offer(X, c, b, at) else R.promote(X, c, b, m, at, 'waitlist') end
      end
      return enough() and 'enough' or nil
    end)
    if not done then return false end
    R.tell_passed(X, c, entry, at)
    reserve(X, c, entry.reserved)
    if entry.reserved > 0 then wake_at(X, c, math.min(quiet, c.promote_until)) end
    return true
  end

  -- After promotion has closed nobody moves up: a freed spot is anybody's, and those who wait are told.
  local function tell_freed(X, c, at, freed)
    freed = untold(X, c, at) or freed
    reserve(X, c, 0)
    if freed and c['then'] == 'first_come' then
      R.emit(X, 'spot_freed', at, { class = c, data = { free = R.spots(c) } })
    end
  end

  -- Brings the class to rest: a waiting member who may have a free spot gets it, is offered it, or has it reserved.
  -- `entry.freed`: a spot has become free, so those passed over are named. False: there is more to do.
  function R.ask_waitlist(X, entry, at)
    local c = R.class(X, entry.class)
    if entry.reserved then return pass(X, c, at, entry) end
    local over = c.status == 'cancelled' or c.status == 'finished' or at >= c.starts
    if over or R.spots(c) <= 0 or c.waiting == 0 then
      reserve(X, c, 0)
    elseif at >= c.promote_until then
      tell_freed(X, c, at, entry.freed)
    elseif X.settling and c.mode == 'offer' then
      X.pending[c.id] = X.pending[c.id] or entry.freed or false
    else
      entry.freed = untold(X, c, at) or entry.freed
      entry.reserved = 0
      return pass(X, c, at, entry)
    end
    return true
  end
end
