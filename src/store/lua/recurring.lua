--[[ Series as they are stored, and the two indexes that let a few of many be read: all by id, and the active ones by the
  local day on which it is next looked whether their classes are published far enough ahead. ]]
do
  R.series_max = 2000 -- active series of an organisation: far more than a chain has, and few enough to be looked through

  -- A stored series. What is none still has a place and a revision, so that it can be put right or ended.
  function R.series(X, id)
    local text = redis.call('HGET', X.p .. 'series', id)
    if not text then return nil end
    X.spent = X.spent + 1
    local read, s = pcall(cjson.decode, text)
    if not read or type(s) ~= 'table' then s = { body = text } end
    return {
      body = type(s.body) == 'string' and s.body or '', status = s.status == 'ended' and 'ended' or 'active',
      revision = type(s.revision) == 'number' and s.revision >= 0 and s.revision % 1 == 0 and s.revision or 1,
    }
  end

  -- Only noted here: the flush sees to the types first, then does it.
  function R.also(X, kind, command, name, ...)
    X.types[X.p .. name] = kind
    X.after[#X.after + 1] = { command, X.p .. name, ... }
  end

  -- Under other rules every series is looked at again: those of the organisation, and whether a club has reopened on some
  -- of its days.
  function R.series_rules(X)
    local again = X.org.reopened
    return again and R.text(X.org.revision) .. '-' .. R.text(again) or R.text(X.org.revision)
  end

  -- The next local day on which the series is looked at; 0: at once, nil: never again.
  function R.series_due(X, id, day)
    if day then R.also(X, 'zset', 'ZADD', 'series:due', day, id) else R.also(X, 'zset', 'ZREM', 'series:due', id) end
  end

  -- What an older version of the service has stored is in no index yet; after this it is.
  function R.index_series(X)
    if redis.call('HLEN', X.p .. 'series') == redis.call('ZCARD', X.p .. 'series:ids') then return end
    R.also(X, 'zset', 'DEL', 'series:ids')
    for _, id in ipairs(redis.call('HKEYS', X.p .. 'series')) do
      R.also(X, 'zset', 'ZADD', 'series:ids', '0', id)
      R.series_due(X, id, '0')
    end
    R.flush(X)
  end
end
