--[[ publish_class: a class comes into being, with its terms.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms
         7 class  8 revision of the organisation the terms were computed from  9… name, value pairs
  REPLY  CLASS <id> <class> | RETRY | REFUSED <code> <until> <detail>
  EVENTS class_published
  WHY    terms of an older policy are sent back, never stored ]]
R.write('publish_class', function(X, id, seen, ...)
  if X.org.revision ~= tonumber(seen) then return 'RETRY', {} end
  if R.class(X, id) then return R.refuse('invalid', '/id', 'is taken by another class') end
  local c = R.create(X, 'class', id)
  R.assign(X, c, 'class', { ... })
  if c.starts < X.now then return R.refuse('invalid', '/starts_at', 'lies in the past') end
  if redis.call('HEXISTS', X.p .. 'clubs', c.club) == 0 then
    return R.refuse('invalid', '/club', 'there is no such club')
  end
  for counter in string.gmatch('booked offered waiting reserved checked_in ticket', '%S+') do
    R.set(X, c, counter, 0)
  end
  R.set(X, c, 'revision', 1)
  R.set(X, c, 'status', X.now < c.opens_at and 'scheduled' or 'open')
  R.index_class(X, c)
  R.class_timers(X, c, true)
  R.emit(X, 'class_published', X.now, { class = c })
  return 'CLASS', R.class_reply(c)
end)
