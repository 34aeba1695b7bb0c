--[[ list_fees: the ledger, or a member's lines of it, in order.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 after: a line's id (0 = the beginning)  3 limit  4 member ('' = all)
  REPLY  FEES <more: '1' or ''> <id> <line>… | REFUSED <code> <until> <detail>
  EVENTS none
  WHY    billing reads by cursor; a line, once written, is never changed ]]
do
  local function all(X, after, most)
    return redis.call('XRANGE', X.p .. 'fees', '(' .. after .. '-0', '+', 'COUNT', most)
  end

  local function of_member(X, member, after, most)
    local out = {}
    local ids = redis.call('ZRANGEBYSCORE', R.member_key(X, member, 'fees'), '(' .. after, '+inf', 'LIMIT', 0, most)
    for i, id in ipairs(ids) do
      out[i] = redis.call('XRANGE', X.p .. 'fees', id .. '-0', id .. '-0')[1] or R.corrupt('fee ' .. id .. ' is missing')
    end
    return out
  end

  R.read('list_fees', function(X, after, limit, member)
    local most = tonumber(limit)
    if member ~= '' and not R.member(X, member) then return R.refuse('not_found', nil, 'member') end
    local lines = member == '' and all(X, after, most + 1) or of_member(X, member, after, most + 1)
    local out = { '' }
    X.spent = X.spent + #lines
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
end
