--[[ mark_series: note until which day a series has been published, and when it is looked at again.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms  7 series  8 revision published
         9 last day ('' = none)  10 next look, as a number of days  11 rules it was published under
  REPLY  MARKED <last day published> | RETRY
  EVENTS none
  WHY    a series or an organisation that changed meanwhile is looked at again, by what it says now ]]
R.write('mark_series', function(X, id, seen, day, look, rules)
  local s = R.series(X, id)
  if not s or s.revision ~= tonumber(seen) then return 'RETRY', {} end
  local known = redis.call('HGET', X.p .. 'series:published', id) or ''
  if known < day then
    R.also(X, 'hash', 'HSET', 'series:published', id, day)
  end
  if R.series_rules(X) ~= rules then look = '0' end
  R.series_due(X, id, s.status == 'active' and look or nil)
  return 'MARKED', { known < day and day or known }
end)
