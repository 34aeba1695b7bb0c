--[[ migrate: brings an organisation's keys into the layout of this release, a bite at a time.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms
  REPLY  MIGRATED <more: '1' or ''> <a question for put_names>…
  EVENTS none
  WHY    old and new releases run side by side meanwhile; see layout.lua ]]
do
  local function classes(X)
    local org = X.org
    local from = org.migrated and cjson.decode(org.migrated) or { '', '' }
    local page, more = R.page(X, X.p .. 'classes', 0, nil, from[1], from[2], R.scan_max)
    local last
    for _, entry in ipairs(page) do
      if last and X.spent >= R.budget then
        more = true
        break
      end
      local c = R.class(X, entry.id)
      if c then R.index_class(X, c) end
      last = entry
    end
    if more then
      R.set(X, org, 'migrated', cjson.encode({ R.text(last.score), last.id }))
    else
      R.set(X, org, 'migrated', nil)
      R.set(X, org, 'layout', 2)
    end
  end

  R.read('migrate', function(X)
    local org, ask = X.org, {}
    if R.laid_out(X, R.layout) then return 'MIGRATED', { '' } end
    if not org.noted then R.set(X, org, 'noted', R.cursor(X)) end
    if R.laid_out(X, 2) then ask = R.next_names(X) else classes(X) end
    R.flush(X)
    return 'MIGRATED', { '1', unpack(ask) }
  end)
end
