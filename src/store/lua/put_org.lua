--[[ put_org: create or change an organisation; a new policy re-terms the classes not yet open.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms
         7 name ('' = keep)  8 zone  9 currency  10 policy ('' = keep)  11 revision it was computed from (0 = new)
         12 If-Match ('' = none)  13 the set clock for a new organisation ('' = none)
         14 JSON list of {class, revision, {name: value}}, as lists, of every class not yet open
  REPLY  ORG <pairs> <created> | RETRY | REFUSED <code> <until> <detail>
  EVENTS policy_changed, class_changed
  WHY    policy and terms change in one step, so no class opens under rules that have gone ]]
do
  -- Every class not yet open must be there, as it was seen.
  local function all_seen(X, changes)
    local unopened = R.range(R.z(X, 'unopened'))
    if #unopened ~= #changes then return false end
    for _, change in ipairs(changes) do
      local c = R.class(X, change[1])
      if not c or c.status ~= 'scheduled' or c.revision ~= change[2] then return false end
    end
    return true
  end

  local function reterm(X, c, fields)
    local list = {}
    for name, value in pairs(fields) do list[#list + 1], list[#list + 2] = name, value end
    R.assign(X, c, 'class', list)
    R.set(X, c, 'revision', c.revision + 1)
    R.class_timers(X, c, true)
    R.emit(X, 'class_changed', X.now, { class = c, data = { changed = { 'terms' } } })
  end

  local function org_reply(X, created)
    return function() return { redis.call('HGETALL', X.org.key), created and '1' or '' } end
  end

  R.write('put_org', function(X, name, zone, currency, policy, seen, match, clock, classes)
    local org = X.org
    local created = not org.revision
    if match ~= '' and org.revision ~= tonumber(match) then return R.refuse('stale') end
    if (org.revision or 0) ~= tonumber(seen) then return 'RETRY', {} end
    local stored = redis.call('HGET', org.key, 'policy') or ''
    local new_policy = policy ~= '' and policy ~= stored
    local new_name = name ~= '' and name ~= org.name
    if not created and not new_policy and not new_name then return 'ORG', org_reply(X, false) end
    local changes = cjson.decode(classes)
    if new_policy and not all_seen(X, changes) then return 'RETRY', {} end
    if created and clock ~= '' then
      R.set(X, org, 'clock', tonumber(clock))
      X.now = org.clock
    end
    R.set(X, org, 'revision', (org.revision or 0) + 1)
    if new_name then R.set(X, org, 'name', name) end
    if new_policy then
      R.describe(X, org, 'policy', policy)
      R.set(X, org, 'zone', zone)
      R.set(X, org, 'currency', currency)
    end
    R.emit(X, 'policy_changed', X.now, { data = { revision = org.revision } })
    if new_policy then
      for _, change in ipairs(changes) do reterm(X, R.class(X, change[1]), change[3]) end
      R.settle(X)
    end
    return 'ORG', org_reply(X, created)
  end)
end
