--[[ What a booking costs: clips, ledger lines, strikes and bans, and taking them back. ]]
do
  -- Whatever a member's spots, clips or ban decide elsewhere is looked at again before the call ends.
  function R.touched(X, id)
    for _, known in ipairs(X.affected) do
      if known == id then return end
    end
    X.affected[#X.affected + 1] = id
  end

  function R.take_clip(X, b, m)
    if m.plan ~= 'clips' then
      R.set(X, b, 'paid_with', 'membership')
      return
    end
    R.set(X, b, 'paid_with', 'clip')
    R.set(X, b, 'clip_charged', '1')
    R.set(X, m, 'clips', (m.clips or 0) - 1)
  end

  function R.return_clip(X, b, m)
    if not b.clip_charged then return false end
    R.set(X, b, 'clip_charged', nil)
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
    R.set(X, b, 'waived_' .. reason, R.ledger(X, at, c, b, 'waived', why, amount, line))
  end

  function R.charged_amount(X, line)
    for _, fee in ipairs(X.fees) do
      if fee[1] == line .. '-0' then return tonumber(fee[13]) end
    end
    local found = redis.call('XRANGE', X.p .. 'fees', line .. '-0', line .. '-0')[1]
    if not found then R.corrupt('fee ' .. line .. ' is missing') end
    return tonumber(found[2][12])
  end

  local function strikes_of(X, m)
    local out = {}
    for i, entry in ipairs(R.range(R.z(X, 'member:' .. m.id .. ':strikes'))) do
      local b = R.booking(X, entry.id)
      out[i] = { starts = entry.score, booking = b, class = R.class_of(X, b) }
    end
    return out
  end

  -- The end of the ban that the strikes add up to: over every strike with enough others in its window.
  local function ban_end(strikes)
    local until_
    for _, s in ipairs(strikes) do
      local n = 0
      for _, other in ipairs(strikes) do
        if other.starts <= s.starts and other.starts > s.starts - s.class.strike_window_ms then n = n + 1 end
      end
      if s.class.strikes and n >= s.class.strikes then until_ = math.max(until_ or 0, s.starts + s.class.ban_ms) end
    end
    return until_
  end

  -- Brings the member's ban in line with the strikes; says so when it changed.
  function R.judge(X, m, at)
    local until_ = ban_end(strikes_of(X, m))
    if until_ == m.banned_until then return end
    local longer = until_ and until_ > (m.banned_until or 0)
    R.set(X, m, 'banned_until', until_)
    R.touched(X, m.id)
    local timers, timer = R.z(X, 'timers'), 'a1 ' .. m.id
    if until_ and until_ > at then R.put(timers, timer, until_) else R.drop(timers, timer) end
    if longer then
      R.emit(X, 'ban_started', at, { member = m.id, data = { ['until'] = until_ } })
    else
      R.emit(X, 'ban_lifted', at, { member = m.id, data = { ['until'] = until_ } })
    end
  end

  function R.strike(X, at, c, b)
    if not c.strikes then return false end
    R.set(X, b, 'strike', c.starts)
    R.put(R.z(X, 'member:' .. b.member .. ':strikes'), b.id, c.starts)
    return true
  end

  -- Takes back the fee, clip and strike of a late cancel or no-show. Says whether there was anything.
  function R.unwind(X, at, c, b, why)
    local m = R.member_of(X, b)
    local struck = b.strike ~= nil
    local clip = R.return_clip(X, b, m)
    if struck then
      R.set(X, b, 'strike', nil)
      R.drop(R.z(X, 'member:' .. b.member .. ':strikes'), b.id)
    end
    local owed = b.fee_late_cancel and not b.waived_late_cancel
    if struck or clip or owed then
      R.emit(X, 'excused', at, { class = c, booking = b, data = { reason = why, clip = clip, strike = struck } })
    end
    R.waive(X, at, c, b, 'late_cancel', why)
    if struck then R.judge(X, m, at) end
  end

  -- Each spot that is taken forgives the class's oldest late cancel not yet forgiven.
  function R.forgive(X, at, c)
    if (c.forgive or 0) == 0 then return end
    local late = R.z(X, 'class:' .. c.id .. ':late')
    local oldest = R.range(late, nil, nil, 1)[1]
    if not oldest then return end
    R.drop(late, oldest.id)
    local b = R.booking(X, oldest.id)
    R.unwind(X, at, c, b, 'refilled')
    R.set(X, b, 'updated_at', at)
  end
end
