--[[ The roll: arrival, its undoing, and what happens when check-in closes. ]]
do
  -- Why nobody can be checked in at the instant, with when it begins; nil while check-in is open.
  function R.check_in_shut(c, at)
    if at < c.check_in_opens then return 'check_in_not_open', c.check_in_opens end
    if at >= c.check_in_closes then return 'check_in_closed' end
  end

  -- Late check-in: one more clip, or the fee where none is left; once per booking, ever.
  local function charge_late(X, c, b, m, at)
    R.set(X, b, 'late', '1')
    if b.late_charged or c.check_in_fee == 0 then return end
    R.set(X, b, 'late_charged', '1')
    if b.paid_with == 'clip' and (m.clips or 0) > 0 then
      R.set(X, b, 'late_clip_charged', '1')
      R.set(X, m, 'clips', m.clips - 1)
      R.touched(X, m.id)
    else
      R.charge(X, at, c, b, 'late_check_in', c.check_in_fee)
    end
  end

  -- The booking, on the roster, becomes checked in.
  function R.arrive(X, c, b, m, at, late)
    R.set(X, b, 'status', 'checked_in')
    R.set(X, b, 'present', '1')
    R.set(X, b, 'updated_at', at)
    R.set(X, b, 'first_time', (m.visits or 0) == 0 and '1' or nil)
    R.set(X, m, 'visits', (m.visits or 0) + 1)
    R.set(X, c, 'checked_in', c.checked_in + 1)
    local e = R.emit(X, 'checked_in', at, {
      class = c, booking = b, data = { late = late, first_time = b.first_time ~= nil },
    })
    if late then
      charge_late(X, c, b, m, at)
      e.data.clip = b.late_clip_charged ~= nil
    end
  end

  -- Check-in of a live booking: a spot is taken up, an offer accepted, a waiting member noted as present.
  -- A code, and its end, where it is refused.
  function R.check_in(X, c, b, at)
    if b.status == 'checked_in' or (b.status == 'waitlisted' and b.present) then return end
    if not R.live[b.status] then return 'wrong_status' end
    local why, until_ = R.check_in_shut(c, at)
    if why then return why, until_ end
    local m = R.member_of(X, b)
    if b.status == 'waitlisted' then
      R.set(X, b, 'present', '1')
      R.set(X, b, 'updated_at', at)
      R.emit(X, 'present_on_standby', at, { class = c, booking = b })
      return
    end
    if b.status == 'offered' then
      why, until_ = R.obstacle(X, m, c, at)
      if why then return why, until_ end
      R.promote(X, c, b, m, at, 'offer')
    end
    if b.status == 'booked' then R.arrive(X, c, b, m, at, at > c.check_in_due) end
    R.look(X, c, false)
  end

  -- Takes the arrival back with what it cost; the booking is on the roster again.
  function R.undo_arrival(X, c, b, at, why)
    local m = R.member_of(X, b)
    R.set(X, b, 'status', 'booked')
    R.set(X, b, 'present', nil)
    R.set(X, b, 'late', nil)
    R.set(X, b, 'first_time', nil)
    R.set(X, b, 'updated_at', at)
    R.set(X, m, 'visits', math.max(0, (m.visits or 0) - 1))
    R.set(X, c, 'checked_in', c.checked_in - 1)
    local clip = R.return_clip(X, b, m, 'late_clip_charged')
    R.emit(X, 'check_in_undone', at, { class = c, booking = b, data = { reason = why, clip_returned = clip or nil } })
    R.waive(X, at, c, b, 'late_check_in', why)
  end

  local function no_show(X, c, b, at)
    R.leave(X, c, b, 'no_show', at)
    R.put(R.z(X, 'class:' .. c.id .. ':void'), b.id, b.ticket)
    R.set(X, c, 'no_shows', (c.no_shows or 0) + 1)
    local e = R.emit(X, 'no_show_recorded', at, { class = c, booking = b })
    e.data.clip = b.clip_charged ~= nil
    if not b.clip_charged then R.charge(X, at, c, b, 'no_show', c.no_show_fee) end
    e.data.strike = R.strike(X, at, c, b)
  end

  -- The parts of closing, in order. Each works on from where the entry has come to, and is false while there is more.
  local parts = {}

  -- A roster is untouched when it has bookings and nobody of the class is here.
  function parts.seen(X, c, entry, at)
    local here = c.checked_in > 0
    local done = here or R.each_booking(X, entry, c, { 'offers', 'queue' }, function(b)
      here = b.present ~= nil
      return here and 'enough' or nil
    end)
    if not done then return false end
    entry.part = 'no_shows'
    if c.booked > 0 and not here then
      R.set(X, c, 'untouched', '1')
      R.emit(X, 'roster_untouched', at, { class = c })
      entry.part = 'lapse'
    end
    return true
  end

  -- Spots of those who did not come are void.
  function parts.no_shows(X, c, entry, at)
    local done = R.each_booking(X, entry, c, { 'roster' }, function(b)
      if b.status == 'booked' then no_show(X, c, b, at) end
    end)
    if done then entry.part = 'stand_bys' end
    return done
  end

  -- They go to those who stand by.
  function parts.stand_bys(X, c, entry, at)
    local done = R.each_booking(X, entry, c, { 'queue' }, function(b)
      if R.spots(c) <= 0 then return 'enough' end
      if not b.present then return end
      local m = R.member_of(X, b)
      local why = R.obstacle(X, m, c, at)
      if why then
        R.note_passed(entry, b, why)
      else
        R.tell_passed(X, c, entry, at, true)
        R.promote(X, c, b, m, at, 'stand_by')
      end
    end)
    if not done then return false end
    R.tell_passed(X, c, entry, at)
    entry.part = not entry.by_hand and 'lapse' or nil
    return true
  end

  -- The rest of the waitlist ends.
  function parts.lapse(X, c, entry, at)
    local done = R.each_booking(X, entry, c, { 'queue' }, function(b)
      R.leave(X, c, b, 'lapsed', at)
      R.emit(X, 'waitlist_lapsed', at, { class = c, booking = b })
    end)
    if done then entry.part = nil end
    return done
  end

  function R.steps.close(X, entry, at)
    local c = R.class(X, entry.class)
    while entry.part do
      if not parts[entry.part](X, c, entry, at) then return false end
    end
    return true
  end

  -- No-shows and stand-bys of a class that staff close by hand.
  function R.penalise(X, c)
    R.step(X, { kind = 'close', class = c.id, part = 'no_shows', by_hand = true })
  end

  -- Check-in closes: no-shows, stand-bys, and the end of the waitlist.
  function R.close(X, c)
    R.set(X, c, 'closed', '1')
    local part = c.untouched_roster == 'review' and 'seen' or 'no_shows'
    R.step(X, { kind = 'close', class = c.id, part = part })
  end

  -- The minimum is judged.
  function R.decide(X, c, at)
    if c.status == 'cancelled' or c.booked >= R.minimum(c) then return end
    if c.below_minimum == 'cancel' then
      R.call_off(X, c, at, 'below_minimum')
    else
      R.emit(X, 'class_changed', at, { class = c, data = { changed = { 'below_minimum' } } })
    end
  end
end
