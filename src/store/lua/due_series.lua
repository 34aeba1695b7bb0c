--[[ due_series: some of the active series that have not been looked at on this local day, or under these rules.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 today, as a number of days
  REPLY  SERIES_LIST <more: '1' or ''> <again: club, day…> <series: id, as stored, published until>…
  EVENTS none
  WHY    what is published far enough ahead costs nothing until tomorrow, however many there are ]]
do
  local page_max = 20
  local bytes_max = 262144 -- of the stored JSON of a page that has more than one

  R.read('due_series', function(X, today)
    R.index_series(X)
    local key, rules, bytes, gone = X.p .. 'series:due', R.series_rules(X), 0, {}
    -- By club that reopened, the day from which on its series look again.
    local out = { '', redis.call('HGETALL', X.p .. 'series:again') }
    -- Other rules of the organisation may reach further, so under them every series is looked at again.
    local other_rules = redis.call('HGET', X.p .. 'series:rules', 'revision') ~= rules
    local due = redis.call('ZRANGEBYSCORE', key, '-inf', other_rules and '+inf' or today, 'LIMIT', 0, page_max + 1)
    for i, id in ipairs(due) do
      local stored = redis.call('HGET', X.p .. 'series', id)
      bytes = bytes + #(stored or '')
      if i > page_max or (i > 1 and bytes > bytes_max) then
        out[1] = '1'
        break
      end
      if stored then out[#out + 1] = R.series_entry(X, id, stored) else gone[#gone + 1] = id end
    end
    -- What is not there any more stands in nobody's way.
    for _, id in ipairs(gone) do R.series_due(X, id, nil) end
    if other_rules then
      R.also(X, 'hash', 'HSET', 'series:rules', 'revision', rules)
      R.also(X, 'zset', 'ZUNIONSTORE', 'series:due', 1, key, 'WEIGHTS', 0)
    end
    -- All have looked.
    if #due == 0 and #out[2] > 0 then R.also(X, 'hash', 'DEL', 'series:again') end
    R.flush(X)
    return 'SERIES_LIST', out
  end)
end
