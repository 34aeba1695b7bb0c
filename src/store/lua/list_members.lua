--[[ list_members: members by id, or those whose id, phone or name begins with a text.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 query, folded ('' = all)  3 limit  4 after ('' = the beginning)
  REPLY  MEMBERS <next or ''> <id> <member>…
  EVENTS none
  WHY    one index of "<term>\t<id>" serves all three; a member found twice on a page is shown once ]]
R.read('list_members', function(X, query, limit, after)
  local key = X.p .. (query == '' and 'members' or 'members:index')
  local low = after ~= '' and '(' .. after or '[' .. query
  local high = query == '' and '+' or '[' .. query .. '\255'
  local most = tonumber(limit)
  local page = redis.call('ZRANGEBYLEX', key, low, high, 'LIMIT', 0, most + 1)
  local out, seen = { '' }, {}
  X.spent = X.spent + #page
  for i, entry in ipairs(page) do
    if i > most then
      out[1] = page[most]
    else
      local id = query == '' and entry or string.match(entry, '\t(.*)$')
      if not seen[id] then
        seen[id] = true
        out[#out + 1] = id
        out[#out + 1] = redis.call('HGETALL', X.p .. 'member:' .. R.part[id])
      end
    end
  end
  return 'MEMBERS', out
end)
