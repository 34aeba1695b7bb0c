--[[ directory: the index by which members are found (layout 3).

  `members:terms` has an entry "<term>\t<id>" for each term of a member, who keeps the same terms in their field `terms`
  (JSON). A term begins with what it is of: `i` the id, `n` a part of the name, `e` the phone in E.164, `d` digits of the
  phone as people begin to type it. Only the service folds names and reads phones (domain/names.rs, domain/phone.rs), and it
  reads a phone in the country that the policy names. So a call that brings terms says under which revision of the
  organisation they were made, and is answered RETRY with the policy where that is another one.

  What the service has not yet seen it is asked for: `members:unread` has members whom an older release has changed
  (ASK names, before any other answer), and `migrate` asks for everybody, bite by bite, where the whole index is to be made.

  The organisation's fields: `read_in` the country the phones are read in, `read_at` the revision for which that is known,
  `directory` the member the migration has come to, `unread` that there are members unread. ]]
do
  local asked_max = 40 -- members of one question
  local at_once = '-'  -- the place of a question about members:unread

  -- The member is found by these terms (JSON, '' = none) and by no others.
  function R.reindex_terms(X, m, terms)
    local z = R.z(X, 'members:terms')
    for _, term in ipairs(m.terms and cjson.decode(m.terms) or {}) do R.drop(z, term .. '\t' .. m.id) end
    for _, term in ipairs(terms ~= '' and cjson.decode(terms) or {}) do R.put(z, term .. '\t' .. m.id, 0) end
    R.set(X, m, 'terms', terms ~= '' and terms or nil)
  end

  -- Whether terms made under that revision ('' = none that depend on it) hold no more.
  function R.read_otherwise(X, revision) return revision and revision ~= '' and tonumber(revision) ~= X.org.revision end

  -- By what they are to be made.
  function R.rules_now(X)
    return { R.text(X.org.revision), redis.call('HGET', X.org.key, 'policy') or '', X.org.zone or '' }
  end

  local function question(X, from, on, ids)
    local out = R.rules_now(X)
    out[4], out[5] = from, on
    for _, id in ipairs(ids) do
      local stored = redis.call('HMGET', X.p .. 'member:' .. R.part[id], 'name', 'phone')
      out[#out + 1], out[#out + 2], out[#out + 3] = id, stored[1] or '', stored[2] or ''
    end
    X.spent = X.spent + #ids
    return out
  end

  -- Notes a member whom an older release has changed.
  function R.unread(X, id)
    R.put(R.z(X, 'members:unread'), id, 0)
    R.set(X, X.org, 'unread', '1')
  end

  -- Asks for the terms of such members. False, as the call must be made again.
  function R.ask_names(X)
    local ids = redis.call('ZRANGE', X.p .. 'members:unread', 0, asked_max - 1)
    X.ask = { 'names', unpack(question(X, at_once, '', ids)) }
    return false
  end

  -- The question of the migration's next bite.
  function R.next_names(X)
    local from = X.org.directory or ''
    local low = from ~= '' and '(' .. from or '-'
    local ids = redis.call('ZRANGEBYLEX', X.p .. 'members', low, '+', 'LIMIT', 0, math.min(asked_max, R.budget))
    return question(X, from, #ids > 0 and ids[#ids] or '', ids)
  end

  -- The phones are to be read in that country from this revision of the organisation on.
  function R.read_in(X, country, was)
    local org = X.org
    if (org.read_in or '') ~= country then
      R.set(X, org, 'read_in', country ~= '' and country or nil)
      R.set(X, org, 'directory', nil)
      if R.laid_out(X, 2) then R.set(X, org, 'layout', 2) end
    elseif org.read_at == was then
      R.set(X, org, 'read_at', org.revision)
    end
  end

  local function take(X, members)
    for _, one in ipairs(cjson.decode(members)) do
      local id, name, phone, terms = unpack(one)
      local m = R.member(X, id)
      local now = m and redis.call('HMGET', m.key, 'name', 'phone')
      -- Whoever changed the member meanwhile has brought other terms, or noted that they are unread.
      if m and not m.erased and (now[1] or '') == name and (now[2] or '') == phone then R.reindex_terms(X, m, terms) end
    end
  end

  local function take_unread(X, members)
    take(X, members)
    local z, dropped = R.z(X, 'members:unread'), 0
    for _, one in ipairs(cjson.decode(members)) do
      if R.score(z, one[1]) then dropped = dropped + 1 end
      R.drop(z, one[1])
    end
    if redis.call('ZCARD', z.key) == dropped then R.set(X, X.org, 'unread', nil) end
  end

  local function take_bite(X, country, from, on, members)
    local org = X.org
    if (org.directory or '') ~= from or R.laid_out(X, 3) then return end
    if (org.read_in or '') ~= country then
      R.read_in(X, country)
      if from ~= '' then return end
    elseif (org.layout or 1) >= 3 then
      -- All is there; only the revision is another.
      R.set(X, org, 'read_at', org.revision)
      return
    end
    take(X, members)
    R.set(X, org, 'directory', on ~= '' and on or nil)
    if on == '' then
      R.set(X, org, 'layout', 3)
      R.set(X, org, 'read_at', org.revision)
    end
  end

  -- The answer to a question.
  function R.take_names(X, revision, country, from, on, members)
    if R.text(X.org.revision) ~= revision then return end
    if from == at_once then take_unread(X, members) else take_bite(X, country, from, on, members) end
  end
end
