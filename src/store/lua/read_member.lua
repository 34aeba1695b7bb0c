--[[ read_member: one member's profile.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 member
  REPLY  MEMBER <id> <member> | REFUSED <code> <until> <detail>
  EVENTS none
  WHY    an erased member does not exist ]]
do
  function R.known_member(X, id)
    local m = R.member(X, id)
    if m and not m.erased then return m end
  end

  R.read('read_member', function(X, id)
    local m = R.known_member(X, id)
    if not m then return R.refuse('not_found', nil, 'member') end
    return 'MEMBER', { id, redis.call('HGETALL', m.key) }
  end)
end
