--[[ cancel_class: the club cancels a class; nobody pays for it.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms  7 class  8 reason
  REPLY  CLASS <id> <class> | REFUSED <code> <until> <detail>
  EVENTS class_cancelled, check_in_undone, booking_cancelled, waitlist_left, excused, fee_waived, ban_lifted,
         and what a gone obstacle causes
  WHY    the club's own acts never cost the member anything ]]
do
  function R.call_off(X, c, at, reason)
    R.class_timers(X, c, false)
    R.set(X, c, 'status', 'cancelled')
    R.set(X, c, 'reserved', 0)
    R.set(X, c, 'revision', c.revision + 1)
    R.describe(X, c, 'cancel_reason', reason)
    R.emit(X, 'class_cancelled', at, { class = c, data = { reason = reason } })
    R.step(X, { kind = 'call_off', class = c.id })
  end

  -- Everyone leaves at no cost, then late cancels and no-shows are taken back.
  function R.steps.call_off(X, entry, at)
    local c = R.class(X, entry.class)
    local function end_place(b)
      if b.status == 'checked_in' then R.undo_arrival(X, c, b, at, 'class_cancelled') end
      R.leave_free(X, c, b, 'class_cancelled', at, 'class_cancelled')
    end
    local function unwind_late(id) R.unwind(X, at, c, R.booking(X, id), 'class_cancelled') end
    local function unwind_no_show(id)
      local b = R.booking(X, id)
      R.set(X, b, 'status', 'class_cancelled')
      R.emit(X, 'booking_cancelled', at, { class = c, booking = b, data = { reason = 'class_cancelled' } })
      R.unwind(X, at, c, b, 'class_cancelled')
    end
    return R.each_booking(X, entry, c, { 'roster', 'offers', 'queue' }, end_place)
      and R.each_entry(X, R.z(X, 'class:' .. c.id .. ':late'), unwind_late)
      and R.each_entry(X, R.z(X, 'class:' .. c.id .. ':void'), unwind_no_show)
  end

  R.write('cancel_class', function(X, id, reason)
    local c = R.class(X, id)
    if not c then return R.refuse('not_found', nil, 'class') end
    if c.status == 'finished' then return R.refuse('class_finished') end
    if c.status ~= 'cancelled' then R.call_off(X, c, X.now, reason) end
    return 'CLASS', R.class_reply(c)
  end)
end
