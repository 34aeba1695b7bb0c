--[[ book: put a member on the roster, or on the waitlist when the class is full.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms ('' = the node's clock)  2 sub  3 role  4 command  5 fingerprint  6 keep_ms
         7 class  8 member  9 booking id  10 waitlist ('1' or '')  11 desk ('1' or '')
  REPLY  BOOKED <booking> | WAITLISTED <booking> | REPEATED <booking> | REFUSED <code> <until> <detail>
  EVENTS booking_confirmed, waitlist_joined, booking_promoted (first come), excused, fee_waived, ban_lifted,
         waitlist_left, and what a gone obstacle causes
  WHY    one function decides roster or waitlist, so the last spot cannot go to two members ]]
do
  -- Whoever takes a spot when cancelling is no longer free may take a misclick back for a while. Classes that earlier
  -- releases published have no such term.
  local function spare_misclick(X, c, b, at)
    local spared_ms = c.after_booking_ms or 0
    if spared_ms > 0 and at >= c.cancel_by then
      R.set(X, b, 'free_until', math.max(b.free_until or 0, at + spared_ms))
    end
  end

  -- A waiting member's repeat after promotion has closed takes a free spot.
  local function first_come(X, c, b, m, at, desk)
    if b.status ~= 'waitlisted' or at < c.promote_until or R.spots(c) <= 0 then return end
    if c['then'] ~= 'first_come' and not desk then return end
    if R.obstacle(X, m, c, at) then return end
    R.promote(X, c, b, m, at, 'first_come')
    spare_misclick(X, c, b, at)
  end

  local function newcomer(X, c, m, id, at, fits)
    local b = R.new_booking(X, id, c, m, at)
    if fits then
      R.take_spot(X, c, b, m, at)
      spare_misclick(X, c, b, at)
      R.emit(X, 'booking_confirmed', at, { class = c, booking = b })
      R.forgive(X, at, c)
    else
      R.join_queue(X, c, b, at)
      R.emit(X, 'waitlist_joined', at, { class = c, booking = b })
    end
    return b
  end

  -- The first reason why the member may not book or queue, with its end; nil when they may.
  function R.why_not(X, c, m, at, waitlist, desk)
    local why, until_ = R.obstacle(X, m, c, at)
    if why then return why, until_ end
    if R.over_open_limit(X, m, c, at) then return 'open_limit' end
    if not R.newcomer_fits(c, at, desk) then return R.queue_shut(c, at, waitlist, desk) end
  end

  -- An unknown member: 404 for the member's own token, 422 at /member for the desk.
  function R.unknown_member(desk)
    if desk then return R.refuse('invalid', '/member', 'there is no such member') end
    return R.refuse('not_found', nil, 'member')
  end

  R.write('book', function(X, class, member, id, waitlist, desk)
    local at, c, m = X.now, R.class(X, class), R.member(X, member)
    desk = desk == '1'
    if not c then return R.refuse('not_found', nil, 'class') end
    if not m or m.erased then return R.unknown_member(desk) end
    local why, until_ = R.shut(c, at)
    if why then return R.refuse(why, until_) end
    local b = R.live_in(X, m, c)
    if b then
      first_come(X, c, b, m, at, desk)
      return 'REPEATED', R.booking_reply(X, b)
    end
    why, until_ = R.why_not(X, c, m, at, waitlist == '1', desk)
    if why then return R.refuse(why, until_) end
    until_ = R.too_many_rounds(c, m, at)
    if until_ then return R.rate_limited(X, until_) end
    local fits = R.newcomer_fits(c, at, desk)
    b = newcomer(X, c, m, id, at, fits)
    return fits and 'BOOKED' or 'WAITLISTED', R.booking_reply(X, b)
  end)
end
