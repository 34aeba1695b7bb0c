--[[ cancel: end a booking, leave the waitlist or decline an offer; late when the time for free has passed.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms
         7 booking  8 owner ('' = the desk)  9 charge ('1', '0', or '' = by the rules)  10 reason
  REPLY  CANCELLED <booking> | REPEATED <booking> | REFUSED <code> <until> <detail>
  EVENTS booking_cancelled, waitlist_left, fee_charged, ban_started, and what the freed spot causes
  WHY    whether a cancel is late is decided by the clock of the one who also gives the spot away ]]
do
  -- free, late or refused, and until when it is free.
  function R.cancel_outcome(c, b, at, charge)
    if b.status ~= 'booked' then return at < c.starts and 'free' or 'refused', c.starts end
    local free_until = math.min(c.starts, math.max(c.cancel_by, b.free_until or 0))
    if at >= c.starts then return 'refused', free_until end
    if at < free_until or charge == '0' then return 'free', free_until end
    if c.late == 'charged' or charge == '1' then return 'late', free_until end
    return 'refused', free_until
  end

  local done = { cancelled = true, late_cancelled = true, class_cancelled = true }

  -- Refusals that depend on the booking's status alone: 'repeat', a code, or nil.
  function R.cancel_barred(b)
    if done[b.status] then return 'repeat' end
    if not R.live[b.status] or b.status == 'checked_in' then return 'wrong_status' end
  end

  function R.owned_booking(X, id, owner)
    local b = R.load(X, 'booking', id)
    if b and (owner == '' or b.member == owner) then return b end
  end

  local function late_cancel(X, c, b, at, reason)
    R.leave(X, c, b, 'late_cancelled', at)
    R.set(X, c, 'late_cancels', (c.late_cancels or 0) + 1)
    local e = R.emit(X, 'booking_cancelled', at, { class = c, booking = b, data = { late = true, reason = reason } })
    R.put(R.z(X, 'class:' .. c.id .. ':late'), b.id, e.number)
    e.data.clip = b.clip_charged ~= nil
    if not b.clip_charged then R.charge(X, at, c, b, 'late_cancel', c.late_fee) end
    e.data.strike = (c.late_is_strike or 0) == 1 and R.strike(X, at, c, b)
  end

  R.write('cancel', function(X, id, owner, charge, reason)
    local at, b = X.now, R.owned_booking(X, id, owner)
    if not b then return R.refuse('not_found', nil, 'booking') end
    local barred = R.cancel_barred(b)
    if barred == 'repeat' then return 'REPEATED', R.booking_reply(X, b) end
    if barred then return R.refuse(barred) end
    local c = R.class_of(X, b)
    local outcome = R.cancel_outcome(c, b, at, charge)
    if outcome == 'refused' then return R.refuse('cancel_closed') end
    local frees = b.status ~= 'waitlisted'
    reason = reason ~= '' and reason or nil
    if outcome == 'late' then
      late_cancel(X, c, b, at, reason)
    else
      R.leave_free(X, c, b, 'cancelled', at, reason)
    end
    R.look(X, c, frees)
    R.count_round(X, c, b, at)
    return 'CANCELLED', R.booking_reply(X, b)
  end)
end
