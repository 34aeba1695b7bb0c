--[[ Sorted sets: copies that are changed and written by the flush; a read sees what this call has already put. ]]
do
  function R.z(X, name)
    local z = X.sets[name]
    if not z then
      z = { unit = X, key = X.p .. name, put = {}, known = false, reach = false, from = false, kept = false }
      X.sets[name] = z
    end
    return z
  end

  -- One of the member's sets.
  function R.of_member(X, id, name) return R.z(X, 'member:' .. R.part[id] .. ':' .. name) end

  -- A member's live bookings by class start.
  function R.upcoming(X, member)
    local z = X.upcoming[member]
    if not z then
      z = R.of_member(X, member, 'upcoming')
      z.reach = X.now - R.near_ms
      X.upcoming[member] = z
    end
    return z
  end

  function R.put(z, member, score) z.put[member] = score end
  function R.drop(z, member) z.put[member] = false end

  function R.score(z, member)
    local put = z.put[member]
    if put ~= nil then return put or nil end
    z.known = true
    return tonumber(redis.call('ZSCORE', z.key, member) or nil)
  end

  -- Entries as they are stored.
  local function stored(z, lo, hi, most)
    z.known = true
    local low, high = lo and R.texts[lo] or '-inf', hi and R.texts[hi] or '+inf'
    local raw
    if most then
      raw = redis.call('ZRANGEBYSCORE', z.key, low, high, 'WITHSCORES', 'LIMIT', 0, most)
    else
      raw = redis.call('ZRANGEBYSCORE', z.key, low, high, 'WITHSCORES')
    end
    local out = {}
    for i = 1, #raw, 2 do out[#out + 1] = { id = raw[i], score = tonumber(raw[i + 1]) } end
    z.unit.spent = z.unit.spent + math.floor(#out / 16)
    return out
  end

  -- The same of a set with a reach: what lies from there on is read once, because every rule looks at it again.
  local function kept(z, lo, hi)
    if not z.kept or (z.from and (not lo or lo < z.from)) then
      z.from = lo and math.min(lo, z.reach)
      z.kept = stored(z, z.from)
    end
    local out = {}
    if #z.kept == 0 then return out end
    for _, entry in ipairs(z.kept) do
      if (not lo or entry.score >= lo) and (not hi or entry.score <= hi) then out[#out + 1] = entry end
    end
    return out
  end

  -- Entries {id, score} with lo <= score <= hi in order; `most` bounds how many are read.
  function R.range(z, lo, hi, most)
    local dropped = 0
    if next(z.put) ~= nil then
      for _ in pairs(z.put) do dropped = dropped + 1 end
    end
    local found = z.reach and kept(z, lo, hi) or stored(z, lo, hi, most and most + dropped)
    local out = found
    if dropped > 0 then
      out = {}
      for _, entry in ipairs(found) do
        if z.put[entry.id] == nil then out[#out + 1] = entry end
      end
    end
    if dropped > 0 then
      for id, score in pairs(z.put) do
        if score and (not lo or score >= lo) and (not hi or score <= hi) then
          out[#out + 1] = { id = id, score = score }
        end
      end
      table.sort(out, function(a, b)
        if a.score ~= b.score then return a.score < b.score end
        return R.before(a.id, b.id)
      end)
    end
    while most and #out > most do out[#out] = nil end
    return out
  end
end
