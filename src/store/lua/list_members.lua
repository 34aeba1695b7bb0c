--[[ list_members: members by id, or those who are found by a text.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 query as older layouts fold it ('' = all)  3 limit  4 after ('' = the beginning)
         5 revision phones were read under ('' = none were)
         6 JSON: what finds `alone`, and `words` of which each begins some term ('' = by the older index)
  REPLY  MEMBERS <next or ''> <id> <member>… | RETRY <revision> <policy> <zone> | REFUSED <code> <until> <detail>
  EVENTS none
  WHY    of several words the rarest is looked up and the others are asked of whom it finds, so a call looks at 200 at most ]]
do
  local looked_max = 200 -- entries of one call
  local at_once = 50     -- entries read at once
  local words_max = 8    -- words whose number is looked at

  local function begins(text, prefix) return string.sub(text, 1, #prefix) == prefix end

  local function has(terms, prefixes)
    for _, term in ipairs(terms) do
      for _, prefix in ipairs(prefixes) do
        if begins(term, prefix) then return true end
      end
    end
    return false
  end

  local function unreadable() return R.refuse('invalid', '/cursor', 'is not a cursor of this list') end

  local function rarest(X, key, words)
    local found, least = 1, nil
    for i = 1, math.min(#words, words_max) do
      local count = 0
      for _, prefix in ipairs(words[i]) do
        count = count + redis.call('ZLEXCOUNT', key, '[' .. prefix, '[' .. prefix .. '\255')
      end
      X.spent = X.spent + #words[i]
      if not least or count < least then found, least = i, count end
    end
    return found
  end

  local function others_match(terms, words, word)
    for i, prefixes in ipairs(words) do
      if i ~= word and not has(terms, prefixes) then return false end
    end
    return true
  end

  -- Whether an entry of a range is the first by which the walk meets the member, so that each is shown once.
  local function is_first(terms, ranges, k, term, whole)
    local there = false
    for _, other in ipairs(terms) do
      for j = 1, k do
        local meets = (ranges[j].alone or whole) and begins(other, ranges[j].prefix)
        if meets and (j < k or R.before(other, term)) then return false end
      end
      there = there or other == term
    end
    return there and (ranges[k].alone or whole)
  end

  local function search(X, query, most, after)
    local key, word, k, from = X.p .. 'members:terms', nil, 1, ''
    if after ~= '' then
      local w, r, entry = string.match(after, '^n(%d+):(%d+):(.*)$')
      if not w then return unreadable() end
      word, k, from = tonumber(w), tonumber(r), entry
    end
    word = word or rarest(X, key, query.words)
    local ranges = {}
    for _, prefix in ipairs(query.alone) do ranges[#ranges + 1] = { prefix = prefix, alone = true } end
    for _, prefix in ipairs(query.words[word] or {}) do ranges[#ranges + 1] = { prefix = prefix, alone = false } end
    if from ~= '' and not (ranges[k] and begins(from, ranges[k].prefix)) then return unreadable() end
    local out, shown, looked, last = { '' }, 0, 0, ''
    while ranges[k] do
      local prefix = ranges[k].prefix
      local low = from ~= '' and '(' .. from or '[' .. prefix
      local page = redis.call('ZRANGEBYLEX', key, low, '[' .. prefix .. '\255', 'LIMIT', 0, at_once)
      for _, entry in ipairs(page) do
        if looked == looked_max then
          out[1] = last
          return 'MEMBERS', out
        end
        looked, X.spent = looked + 1, X.spent + 1
        local term, id = string.match(entry, '^(.-)\t(.*)$')
        local stored = redis.call('HGET', X.p .. 'member:' .. R.part[id], 'terms')
        local terms = stored and stored ~= '' and cjson.decode(stored) or {}
        if is_first(terms, ranges, k, term, others_match(terms, query.words, word)) then
          if shown == most then
            out[1] = last
            return 'MEMBERS', out
          end
          shown = shown + 1
          out[#out + 1] = id
          out[#out + 1] = redis.call('HGETALL', X.p .. 'member:' .. R.part[id])
        end
        from, last = entry, 'n' .. word .. ':' .. k .. ':' .. entry
      end
      if #page < at_once then k, from = k + 1, '' end
    end
    return 'MEMBERS', out
  end

  -- All by id, or as older layouts find them: by the beginning of the id, the phone or the whole name.
  local function list(X, query, most, after)
    local all = query == ''
    if not all and after ~= '' then
      after = string.match(after, '^o(.*)$')
      if not after or not begins(after, query) then return unreadable() end
    end
    local key = X.p .. (all and 'members' or 'members:index')
    local low = after ~= '' and '(' .. after or '[' .. query
    local high = all and '+' or '[' .. query .. '\255'
    local page = redis.call('ZRANGEBYLEX', key, low, high, 'LIMIT', 0, most + 1)
    local out, seen = { '' }, {}
    X.spent = X.spent + #page
    for i, entry in ipairs(page) do
      if i > most then
        out[1] = all and page[most] or 'o' .. page[most]
      else
        local id = all and entry or string.match(entry, '\t(.*)$')
        if not seen[id] then
          seen[id] = true
          out[#out + 1] = id
          out[#out + 1] = redis.call('HGETALL', X.p .. 'member:' .. R.part[id])
        end
      end
    end
    return 'MEMBERS', out
  end

  R.read('list_members', function(X, query, limit, after, revision, by)
    if R.read_otherwise(X, revision) then return 'RETRY', R.rules_now(X) end
    if by and by ~= '' and R.laid_out(X, 3) then return search(X, cjson.decode(by), tonumber(limit), after) end
    return list(X, query, tonumber(limit), after)
  end)
end
