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
    R.put(R.z(X, 'member:' .. m.id .. ':history'), id, (X.org.changes or 0) + 1)
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

  local function leave_overlapping(X, c, m, at)
    if (c.leave_overlapping or 0) == 0 then return end
    for _, place in ipairs(R.places(X, m, c.starts - R.near_ms, c.starts + R.near_ms)) do
      if place.class ~= c and place.booking.status == 'waitlisted' and R.overlaps(c, place.class) then
        R.leave_free(X, place.class, place.booking, 'cancelled', at, 'overlap')
        X.look_again[#X.look_again + 1] = place.class
      end
    end
  end

  -- From waitlist or offer to roster: grace and leave_overlapping apply.
  function R.promote(X, c, b, m, at, how)
    step_out(X, c, b)
    R.take_spot(X, c, b, m, at)
    R.set(X, b, 'offer_expires_at', nil)
    if (c.grace_ms or 0) > 0 then R.set(X, b, 'free_until', math.max(b.free_until or 0, at + c.grace_ms)) end
    R.set(X, c, 'promoted', (c.promoted or 0) + 1)
    R.set(X, c, 'promoted_ms', (c.promoted_ms or 0) + at - b.created_at)
    R.emit(X, 'booking_promoted', at, { class = c, booking = b, data = { how = how } })
    R.forgive(X, at, c)
    leave_overlapping(X, c, m, at)
    -- Whoever stands by is here already.
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
    R.touched(X, b.member)
    R.emit(X, 'spot_offered', at, { class = c, booking = b, data = { expires_at = b.offer_expires_at } })
  end

  -- The queue in ticket order, read a few at a time.
  local function queue_of(X, c)
    local queue = set(X, c, 'queue')
    local page, i, from = {}, 0, nil
    return function()
      i = i + 1
      if not page[i] then
        page, i = R.range(queue, from, nil, 16), 1
        if #page > 0 then from = page[#page].score + 1 end
      end
      return page[i] and R.booking(X, page[i].id)
    end
  end

  local function wake_at(X, c, at)
    R.put(R.z(X, 'timers'), 'b ' .. c.id .. ' 0', at)
  end

  -- Whether spots were kept for the queue that may be asked now: to those who are told of freed spots they are freed.
  local function untold(X, c, at)
    return c.reserved > 0 and not X.settling and (at >= c.promote_until or not R.quiet_until(c, at))
  end

  -- What was reserved is remembered: the flush announces a change that nothing else has told of.
  local function reserve(X, c, spots)
    c.was_reserved = c.was_reserved or c.reserved
    R.set(X, c, 'reserved', spots)
  end

  -- One pass over the queue, first come first served among those who may.
  local function pass(X, c, at, freed)
    local quiet = R.quiet_until(c, at)
    local spots, reserved = R.spots(c), 0
    local held = quiet ~= nil or X.promotions >= R.promotions_max
    for b in queue_of(X, c) do
      if spots - reserved <= 0 then break end
      local m = R.member_of(X, b)
      local why = R.obstacle(X, m, c, at)
      if why then
        if freed and not held then
          R.emit(X, 'promotion_passed_over', at, { class = c, booking = b, data = { reason = why } })
        end
      elseif held then
        reserved = reserved + 1
      else
        X.promotions = X.promotions + 1
        if c.mode == 'offer' then offer(X, c, b, at) else R.promote(X, c, b, m, at, 'waitlist') end
        spots = spots - 1
        held = X.promotions >= R.promotions_max
      end
    end
    reserve(X, c, reserved)
    if reserved > 0 then
      wake_at(X, c, quiet and math.min(quiet, c.promote_until) or 0)
      if not quiet then X.more = true end
    end
  end

  -- Brings the class to rest: whoever waits and may have a free spot gets it, is offered it, or has it
  -- reserved. `freed`: a spot has become free, so those passed over are told.
  function R.fill(X, c, at, freed)
    if c.status == 'cancelled' or c.status == 'finished' or at >= c.starts then
      reserve(X, c, 0)
    elseif R.spots(c) <= 0 or c.waiting == 0 then
      reserve(X, c, 0)
    elseif at >= c.promote_until then
      freed = untold(X, c, at) or freed
      reserve(X, c, 0)
      if freed and c['then'] == 'first_come' then
        R.emit(X, 'spot_freed', at, { class = c, data = { free = R.spots(c) } })
      end
    elseif X.settling and c.mode == 'offer' then
      X.pending[c.id] = X.pending[c.id] or freed or false
    else
      pass(X, c, at, untold(X, c, at) or freed)
    end
  end

  -- Looks again at every class where somebody touched by this call waits, until nothing moves.
  function R.ripple(X, at)
    while X.affected[1] or X.look_again[1] do
      local c = table.remove(X.look_again, 1)
      if c then
        R.fill(X, c, at, false)
      else
        -- Taken off before the look, because the look may touch them again.
        local m = R.member(X, table.remove(X.affected, 1))
        for _, place in ipairs(R.places(X, m, at + 1, nil, 'waitlisted')) do
          if place.booking.status == 'waitlisted' then R.fill(X, place.class, at, false) end
        end
      end
    end
  end
end
