--[[ layout: how the keys of an organisation are laid out, and how those of an older layout become so.

  The organisation's field `layout` names what its keys are known to hold:
    1 (or absent)   as releases up to dbc61f7 write them
    2               classes are listed by category and by instructor as well; series have indexes of their own, made where
                    they are missing whenever series are read (recurring.lua)
    3               members are found by parts of their names and by phones in E.164 (directory.lua)

  How to change the layout, here and later:
    1. Every function writes the new keys beside the old ones at once, whatever the field says (R.index_class).
    2. Whoever reads the new keys asks R.laid_out(X, n) first, and reads the old ones where it is false.
    3. `migrate` goes over everything stored in bites, called by the service in the background, and sets the field.
    4. An older release that still runs beside this one writes the old keys alone. Each function of this release notes
       the last change in `noted`; where the organisation has had changes since, somebody else made them, and
       R.catch_up reads them from the stream and writes the new keys before anything else is done.
    5. Old keys that nothing reads any more go in a later release, by a layout of their own. `rollcall check` knows
       which keys belong to which layout (src/store/check). ]]
do
  R.layout = 3

  -- Layout 3 holds for the revision of the organisation under which the phones in it were read.
  function R.laid_out(X, layout)
    return (X.org.layout or 1) >= layout and (layout < 3 or X.org.read_at == X.org.revision)
  end

  local function lists_of(club, category, instructor)
    local out = { 'classes', 'club:' .. club .. ':classes' }
    if category then out[#out + 1] = 'category:' .. R.part[category] .. ':classes' end
    if instructor then out[#out + 1] = 'instructor:' .. R.part[instructor] .. ':classes' end
    return out
  end

  -- The lists a class stands in, its own and any it no longer belongs to.
  function R.lists(c)
    local was = c.indexed and cjson.decode(c.indexed) or {}
    return lists_of(c.club, c.category, c.instructor), lists_of(c.club, was.category, was.instructor)
  end

  -- Puts the class into the lists it belongs to, and takes it out of those it has left.
  function R.index_class(X, c)
    local now, before = R.lists(c)
    for _, list in ipairs(before) do R.drop(R.z(X, list), c.id) end
    for _, list in ipairs(now) do R.put(R.z(X, list), c.id, c.starts) end
    R.set(X, c, 'indexed', cjson.encode({ category = c.category, instructor = c.instructor }))
  end

  -- Whether an older release has changed the organisation since a function of this one last did.
  function R.foreign_changes(X)
    local org = X.org
    -- What this call itself has changed is noted by its flush.
    return #X.events == 0 and org.noted ~= nil and org.changes ~= nil and org.noted ~= R.cursor(X)
  end

  local function number_of(cursor) return tonumber(string.match(cursor, '%-(%d+)$')) end

  -- Everything is gone over again.
  local function start_over(X)
    R.set(X, X.org, 'layout', nil)
    R.set(X, X.org, 'migrated', nil)
    R.set(X, X.org, 'directory', nil)
    -- Who was erased meanwhile is in no list that is gone over.
    X.types[X.p .. 'members:terms'] = 'zset'
    X.after[#X.after + 1] = { 'UNLINK', X.p .. 'members:terms' }
  end

  -- A member whom an older release has changed or erased.
  local function catch_up_member(X, id)
    local m = type(id) == 'string' and R.member(X, id)
    if not m then return end
    if m.erased then R.reindex_terms(X, m, '') else R.unread(X, id) end
  end

  -- Writes the new keys for what an older release has changed. False: more is left for the next call.
  function R.catch_up(X)
    local org = X.org
    while org.noted ~= R.cursor(X) do
      local line = redis.call('XRANGE', X.keys.events, '(' .. org.noted, '+', 'COUNT', 1)[1]
      if not line or number_of(line[1]) ~= number_of(org.noted) + 1 then
        -- Retention has cut what lies between.
        start_over(X)
        R.set(X, org, 'noted', R.cursor(X))
        return true
      end
      -- An event that cannot be read tells of nothing, and must not keep the organisation from every call.
      local readable, event = pcall(cjson.decode, line[2][2] or '')
      local id = readable and type(event) == 'table' and event.class
      local c = type(id) == 'string' and R.class(X, id)
      if c then R.index_class(X, c) end
      if readable and (event.event == 'member_changed' or event.event == 'member_erased') then
        catch_up_member(X, event.member)
      end
      R.set(X, org, 'noted', line[1])
      X.spent, X.ran = X.spent + 1, true
      if X.spent >= R.budget then return false end
    end
    return true
  end
end
