--[[ What a booking costs: clips, ledger lines, strikes and bans, and taking them back. ]]
do
  local function clip(X, b, m, field)
    R.set(X, b, field, '1')
    R.set(X, m, 'clips', (m.clips or 0) - 1)
  end

  function R.take_clip(X, b, m)
    R.set(X, b, 'paid_with', m.plan == 'clips' and 'clip' or 'membership')
    if m.plan == 'clips' then clip(X, b, m, 'clip_charged') end
  end

  -- Gives back the clip of the spot, or of the late check-in. Says whether there was one.
  function R.return_clip(X, b, m, field)
    field = field or 'clip_charged'
    if not b[field] then return false end
    R.set(X, b, field, nil)
    R.set(X, m, 'clips', (m.clips or 0) + 1)
    R.touched(X, m.id)
    return true
  end

  -- One charged line per booking and reason, ever.
  function R.charge(X, at, c, b, reason, amount)
    if amount == 0 or b['fee_' .. reason] then return end
    R.set(X, b, 'fee_' .. reason, R.ledger(X, at, c, b, 'charged', reason, amount))
  end

  function R.waive(X, at, c, b, reason, why)
    local line = b['fee_' .. reason]
    if not line or b['waived_' .. reason] then return end
    local amount = R.charged_amount(X, line)
    R.set(X, b, 'waived_' .. reason, R.ledger(X, at, c, b, 'waived', reason, amount, line, why))
  end

  function R.charged_amount(X, line)
    for _, fee in ipairs(X.fees) do
      if fee[1] == line .. '-0' then return tonumber(fee[13]) end
    end
    local found = redis.call('XRANGE', X.p .. 'fees', line .. '-0', line .. '-0')[1]
    if not found then R.corrupt('fee ' .. line .. ' is missing') end
    return tonumber(found[2][12])
  end

  -- The member's strikes from an instant on; nil: all there are.
  local function strikes_of(X, m, from)
    local out = {}
    for i, entry in ipairs(R.range(R.of_member(X, m.id, 'strikes'), from)) do
      local b = R.booking(X, entry.id)
      out[i] = { starts = entry.score, booking = b, class = R.class_of(X, b) }
    end
    return out
  end

  -- The strikes in the window that ends with this one, itself included; nil where they are too few for a ban.
  local function window_of(strikes, s)
    local out = {}
    for _, other in ipairs(strikes) do
      if other.starts <= s.starts and other.starts > s.starts - s.class.strike_window_ms then out[#out + 1] = other end
    end
    return s.class.strikes and #out >= s.class.strikes and out or nil
  end

  -- The end of the ban that the strikes from an instant on add up to: over each with enough others in its window.
  local function ban_end(strikes, from)
    local until_
    for _, s in ipairs(strikes) do
      if s.starts >= from and not s.booking.lifted and window_of(strikes, s) then
        until_ = math.max(until_ or 0, s.starts + s.class.ban_ms)
      end
    end
    return until_
  end

  -- The strikes a ban rests on call for no ban any more; they still count for a later one.
  function R.lift(X, m)
    local strikes = strikes_of(X, m)
    for _, s in ipairs(strikes) do
      for _, other in ipairs(window_of(strikes, s) or {}) do R.set(X, other.booking, 'lifted', '1') end
    end
  end

  -- The member's ban ends then; says so when that is a change.
  local function ban(X, m, at, until_, why)
    if until_ == m.banned_until then return end
    local longer = until_ and until_ > (m.banned_until or 0)
    R.set(X, m, 'banned_until', until_)
    R.touched(X, m.id)
    local timers, timer = R.z(X, 'timers'), 'a1 ' .. m.id
    if until_ and until_ > at then R.put(timers, timer, until_) else R.drop(timers, timer) end
    local event = longer and 'ban_started' or 'ban_lifted'
    R.emit(X, event, at, { member = m.id, data = { ['until'] = until_, reason = why } })
  end

  -- A strike was taken away or lifted: the ban is what those left add up to.
  function R.judge(X, m, at, why)
    ban(X, m, at, ban_end(strikes_of(X, m), 0), why)
  end

  -- One more strike: it can only lengthen a ban, its own or that of a later strike with it in the window. False where
  -- the class counts no strikes, or the member has been erased.
  function R.strike(X, at, c, b)
    local m = R.member_of(X, b)
    if not c.strikes or m.erased then return false end
    R.set(X, b, 'strike', c.starts)
    R.put(R.of_member(X, m.id, 'strikes'), b.id, c.starts)
    local reach = c.starts - c.strike_window_ms
    for _, later in ipairs(strikes_of(X, m, c.starts)) do
      reach = math.min(reach, later.starts - later.class.strike_window_ms)
    end
    local until_ = ban_end(strikes_of(X, m, reach), c.starts)
    if until_ and until_ > (m.banned_until or 0) then ban(X, m, at, until_) end
    return true
  end

  -- Takes back the fee, clip and strike of a late cancel or no-show, once.
  function R.unwind(X, at, c, b, why)
    if b.excused then return end
    local m = R.member_of(X, b)
    local struck = b.strike ~= nil
    R.set(X, b, 'excused', '1')
    R.set(X, b, 'updated_at', at)
    local clip = R.return_clip(X, b, m)
    if struck then
      R.set(X, b, 'strike', nil)
      R.drop(R.of_member(X, b.member, 'strikes'), b.id)
    end
    R.drop(R.z(X, 'class:' .. c.id .. ':late'), b.id)
    R.emit(X, 'excused', at, { class = c, booking = b, data = { reason = why, clip = clip, strike = struck } })
    R.waive(X, at, c, b, 'late_cancel', why)
    R.waive(X, at, c, b, 'no_show', why)
    if struck then R.judge(X, m, at, why) end
  end

  -- Each spot that is taken forgives the class's oldest late cancel not yet forgiven.
  function R.forgive(X, at, c)
    if (c.forgive or 0) == 0 then return end
    local late = R.z(X, 'class:' .. c.id .. ':late')
    local oldest = R.range(late, nil, nil, 1)[1]
    if not oldest then return end
    R.unwind(X, at, c, R.booking(X, oldest.id), 'refilled')
  end
end
