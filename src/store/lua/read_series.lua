--[[ read_series: every series of the organisation, or one.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 series ('' = all)
  REPLY  SERIES_LIST <series: id, body, status, revision, published until>… | REFUSED <code> <until> <detail>
  EVENTS none
  WHY    a chain has some hundreds; they are read whole ]]
R.read('read_series', function(X, id)
  local all = redis.call('HGETALL', X.p .. 'series')
  local out = {}
  for i = 1, #all, 2 do
    if id == '' or all[i] == id then
      local s = cjson.decode(all[i + 1])
      local published = redis.call('HGET', X.p .. 'series:published', all[i]) or ''
      out[#out + 1] = { all[i], s.body, s.status, R.text(s.revision), published }
    end
  end
  if id ~= '' and #out == 0 then return R.refuse('not_found', nil, 'series') end
  return 'SERIES_LIST', out
end)
