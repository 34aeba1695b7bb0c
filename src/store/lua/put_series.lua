--[[ put_series: store a recurrence; what it publishes follows in calls of its own.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms
         7 series  8 body (JSON)  9 status (active, ended)  10 revision it was made from (0 = new)  11 If-Match ('' = none)
  REPLY  SERIES <id> <body> <status> <revision> | RETRY | REFUSED <code> <until> <detail>
  EVENTS series_changed
  WHY    its classes are published one by one, each through the same gate as any other ]]
R.write('put_series', function(X, id, body, status, seen, match)
  local stored = R.series(X, id)
  local was = stored or { revision = 0 }
  if seen == '0' and stored then return R.refuse('invalid', '/id', 'is taken by another series') end
  if match ~= '' and was.revision ~= tonumber(match) then return R.refuse('stale') end
  if was.revision ~= tonumber(seen) then return 'RETRY', {} end
  -- One that ends is not judged: whatever is stored of it, it can be ended.
  if status == 'active' and redis.call('HEXISTS', X.p .. 'clubs', cjson.decode(body).club) == 0 then
    return R.refuse('invalid', '/club', 'there is no such club')
  end
  if not stored and redis.call('ZCARD', X.p .. 'series:due') >= R.series_max then
    return R.refuse('invalid', '', 'cannot be stored: the organisation has as many active series as it may, '
      .. R.text(R.series_max))
  end
  if was.body ~= body or was.status ~= status then
    was = { body = body, status = status, revision = was.revision + 1 }
    R.emit(X, 'series_changed', X.now, { data = { series = id, status = status } })
    R.also(X, 'hash', 'HSET', 'series', id, cjson.encode(was))
    R.also(X, 'zset', 'ZADD', 'series:ids', '0', id)
    R.series_due(X, id, status == 'active' and '0' or nil)
  end
  return 'SERIES', { id, body, status, R.text(was.revision) }
end)
