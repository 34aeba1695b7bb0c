--[[ put_org: create or change an organisation; a new policy gives new terms to the classes not yet open.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms
         7 name ('' = keep)  8 zone  9 currency  10 policy ('' = keep)
         11 zone  12 currency  13 policy of an organisation that does not exist ('' = it must exist)
         14 If-Match ('' = none)  15 the set clock for a new organisation ('' = none)
         16 country phones are read in by the policy  17 the same of an organisation that does not exist ('' = none)
  REPLY  ORG <pairs> <created> | REFUSED <code> <until> <detail>
  EVENTS policy_changed, class_changed
  WHY    no other call is answered until the terms are there, so no class opens under rules that have gone ]]
do
  local function set_policy(X, zone, currency, policy)
    R.describe(X, X.org, 'policy', policy)
    R.set(X, X.org, 'zone', zone)
    R.set(X, X.org, 'currency', currency)
  end

  R.write('put_org', function(X, name, zone, currency, policy, zone0, currency0, policy0, match, clock, country, country0)
    local org = X.org
    local created = not org.revision
    if created and policy0 == '' then return R.refuse('not_found') end
    if match ~= '' and org.revision ~= tonumber(match) then return R.refuse('stale') end
    if created and policy == '' then zone, currency, policy, country = zone0, currency0, policy0, country0 end
    local stored = redis.call('HGET', org.key, 'policy') or ''
    local new_policy = policy ~= '' and policy ~= stored
    local new_name = name ~= '' and name ~= org.name
    local reply = { kind = 'org', id = created and '1' or '' }
    if not created and not new_policy and not new_name then return 'ORG', reply end
    local was = org.revision
    if created and clock ~= '' then
      R.set(X, org, 'clock', tonumber(clock))
      X.now = org.clock
    end
    R.set(X, org, 'revision', (org.revision or 0) + 1)
    if new_name then R.set(X, org, 'name', name) end
    if new_policy then set_policy(X, zone, currency, policy) end
    R.read_in(X, new_policy and country or org.read_in or '', was)
    if created then
      R.set(X, org, 'layout', R.layout)
      R.set(X, org, 'read_at', org.revision)
    end
    R.emit(X, 'policy_changed', X.now, { data = { revision = org.revision } })
    if new_policy and not created then
      R.new_terms(X)
      X.settle_again = true
    end
    return 'ORG', reply
  end)
end
