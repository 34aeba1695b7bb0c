--[[ read_class: one class, and what it means to a member.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 class  3 member ('' = nobody)
  REPLY  CLASS <id> <class> <me: booking or empty> <can: code, until> | REFUSED <code> <until> <detail>
  EVENTS none
  WHY    counts and the member's own place are of one moment ]]
do
  function R.class_entry(X, c, member)
    local m = member ~= '' and R.member(X, member)
    local mine = m and not m.erased and R.class_for(X, c, m) or { {}, {} }
    return { c.id, R.class_doc(c), mine[1], mine[2] }
  end

  R.read('read_class', function(X, id, member)
    local c = R.class(X, id)
    if not c then return R.refuse('not_found', nil, 'class') end
    return 'CLASS', R.class_entry(X, c, member)
  end)
end
