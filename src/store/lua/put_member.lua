--[[ put_member: take over a member from the membership system.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms  7 member  8… name, value pairs (all of them)
  REPLY  MEMBER <id> <member> | RETRY <revision> <policy> <zone> | REFUSED <code> <until> <detail>
  EVENTS member_changed, booking_cancelled, waitlist_left, and what freed spots or a gone obstacle cause
  WHY    an ended or newly frozen membership gives its spots back in the same breath ]]
do
  local cold = { 'name', 'email', 'phone', 'language' }

  local function unknown_club(X, clubs)
    if clubs == 'all' then return end
    for i, club in ipairs(cjson.decode(clubs)) do
      if redis.call('HEXISTS', X.p .. 'clubs', club) == 0 then return '/membership/clubs/' .. (i - 1) end
    end
  end

  -- The clips that hold after the upsert: applied once per new revision; absent keeps the number.
  local function clips(m, new)
    if new.clips == '' then return m.clips end
    if new.clips_revision == '' then return m.clips_revision and m.clips or tonumber(new.clips) end
    if new.clips_revision == m.clips_revision then return m.clips end
    return tonumber(new.clips)
  end

  local function reindex(X, m, index)
    local z = R.z(X, 'members:index')
    for _, term in ipairs(m.index and cjson.decode(m.index) or {}) do R.drop(z, term .. '\t' .. m.id) end
    for _, term in ipairs(index ~= '' and cjson.decode(index) or {}) do R.put(z, term .. '\t' .. m.id, 0) end
  end
  R.reindex_member = reindex

  -- Why the member must give up a place in the class: what they are now, and were not before.
  local function barred(m, was, c)
    if m.erased then return 'erased' end
    if R.ended(m, c.date) and not R.ended(was, c.date) then return 'membership_ended' end
    if R.frozen_until(m, c.date) and not R.frozen_until(was, c.date) then return 'frozen' end
  end

  -- Ends, free of charge, the places ahead that the member must give up.
  function R.withdraw(X, m, was) R.step(X, { kind = 'withdraw', member = m.id, was = was, from = X.now + 1 }) end

  function R.steps.withdraw(X, entry, at)
    local m = R.member(X, entry.member)
    local done = R.each_place(X, entry, m, function(b)
      local c = b.status ~= 'checked_in' and R.class_of(X, b)
      local why = c and barred(m, entry.was, c)
      if not why then return end
      local frees = b.status ~= 'waitlisted'
      R.leave_free(X, c, b, 'cancelled', at, why)
      R.look(X, c, frees)
    end)
    if done and m.erased then R.forget(X, m, at) end
    return done
  end

  local function same(m, new)
    for name, value in pairs(new) do
      if R.text(m[name]) ~= value then return false end
    end
    return true
  end

  R.write('put_member', function(X, id, ...)
    local list, new = { ... }, {}
    for i = 1, #list, 2 do new[list[i]] = list[i + 1] end
    if R.read_otherwise(X, new.read_at) then return 'RETRY', R.rules_now(X) end
    -- `read_at` is the revision under which the phone among the terms was read.
    local terms = new.terms or '[]'
    new.read_at, new.terms = nil, nil
    local pointer = unknown_club(X, new.clubs)
    if pointer then return R.refuse('invalid', pointer, 'there is no such club') end
    local m = R.member(X, id) or R.create(X, 'member', id)
    local was = { status = m.status, valid_until = m.valid_until, frozen = m.frozen }
    if m.erased then was = {} end
    new.id, new.erased, new.clips = id, '', R.text(clips(m, new))
    if new.clips_revision == '' then new.clips_revision = R.text(m.clips_revision) end
    local stored = redis.call('HMGET', m.key, unpack(cold))
    for i, name in ipairs(cold) do m[name] = stored[i] or nil end
    local unchanged = same(m, new)
    for i, name in ipairs(cold) do m[name] = nil end
    if not unchanged then
      reindex(X, m, new.index)
      list = {}
      for name, value in pairs(new) do list[#list + 1], list[#list + 2] = name, value end
      R.assign(X, m, 'member', list)
      R.put(R.z(X, 'members'), id, 0)
      R.emit(X, 'member_changed', X.now, { member = id })
      R.withdraw(X, m, was)
      R.touched(X, id)
    end
    if R.text(m.terms) ~= terms then R.reindex_terms(X, m, terms) end
    return 'MEMBER', { kind = 'member', id = id }
  end)
end
