--[[ list_events: the event stream after a cursor, in order.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 after: cursor ('' = the oldest kept)  3 limit
  REPLY  EVENTS <more: '1' or ''> <cursor> <line>… | GONE
  EVENTS none
  WHY    a cursor names an event still there or the one just before the oldest; anything else is gone, never skipped ]]
do
  local function still_there(X, key, after)
    if after == '0-0' then
      local first = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]
      return not first or string.match(first[1], '%-1$') ~= nil
    end
    return #redis.call('XRANGE', key, after, after) == 1
  end

  R.read('list_events', function(X, after, limit)
    local key, most = X.p .. 'events', tonumber(limit)
    if after ~= '' and not still_there(X, key, after) then return 'GONE', {} end
    local lines = redis.call('XRANGE', key, after == '' and '-' or '(' .. after, '+', 'COUNT', most + 1)
    local out = { '' }
    X.spent = X.spent + #lines
    for i, line in ipairs(lines) do
      if i > most then
        out[1] = '1'
      else
        out[#out + 1] = line[1]
        out[#out + 1] = line[2][2]
      end
    end
    return 'EVENTS', out
  end)
end
