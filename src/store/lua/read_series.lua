--[[ read_series: some series of the organisation by id, or one.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 series ('' = all)  3 after: series ('' = the beginning)  4 limit
  REPLY  SERIES_LIST <next or ''> <series: id, as stored, published until>… | REFUSED <code> <until> <detail>
  EVENTS none
  WHY    a page ends at a limit or at so many bytes, and what is in them is read outside ]]
do
  local bytes_max = 1048576 -- of the stored JSON of a page that has more than one

  function R.series_entry(X, id, stored)
    X.spent = X.spent + 1
    return { id, stored, redis.call('HGET', X.p .. 'series:published', id) or '' }
  end

  R.read('read_series', function(X, id, after, limit)
    local key = X.p .. 'series'
    if id ~= '' then
      local stored = redis.call('HGET', key, id)
      if not stored then return R.refuse('not_found', nil, 'series') end
      return 'SERIES_LIST', { '', R.series_entry(X, id, stored) }
    end
    R.index_series(X)
    local most, bytes, out = tonumber(limit), 0, { '' }
    local low = after == '' and '-' or '(' .. after
    for i, found in ipairs(redis.call('ZRANGEBYLEX', X.p .. 'series:ids', low, '+', 'LIMIT', 0, most + 1)) do
      local stored = redis.call('HGET', key, found) or ''
      bytes = bytes + #stored
      if i > most or (i > 1 and bytes > bytes_max) then
        out[1] = out[#out][1]
        break
      end
      out[#out + 1] = R.series_entry(X, found, stored)
    end
    return 'SERIES_LIST', out
  end)
end
