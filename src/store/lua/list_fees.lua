--[[ list_fees: the ledger, in order.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 after: a line's id (0 = the beginning)  3 limit
  REPLY  FEES <more: '1' or ''> <id> <line>…
  EVENTS none
  WHY    billing reads by cursor; a line, once written, is never changed ]]
R.read('list_fees', function(X, after, limit)
  local most = tonumber(limit)
  local lines = redis.call('XRANGE', X.p .. 'fees', '(' .. after .. '-0', '+', 'COUNT', most + 1)
  local out = { '' }
  for i, line in ipairs(lines) do
    if i > most then
      out[1] = '1'
    else
      out[#out + 1] = string.match(line[1], '^%d+')
      out[#out + 1] = line[2]
    end
  end
  return 'FEES', out
end)
