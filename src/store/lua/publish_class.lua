--[[ publish_class: a class comes into being, with its terms.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms
         7 class  8 revision of the organisation the terms were computed from  9… name, value pairs
  REPLY  CLASS <id> <class> | RETRY | REFUSED <code> <until> <detail>
  EVENTS class_published
  WHY    terms of an older policy are sent back, never stored ]]
do
  -- Publishes the class that `list` (name, value pairs) describes, or says why it cannot be.
  function R.publish(X, id, list)
    local c = R.create(X, 'class', id)
    R.assign(X, c, 'class', list)
    if c.starts < X.now then return 'invalid', '/starts_at', 'lies in the past' end
    if redis.call('HEXISTS', X.p .. 'clubs', c.club) == 0 then return 'invalid', '/club', 'there is no such club' end
    if R.closed_on(X, c.club, c.date) then return 'invalid', '/starts_at', R.closed_then end
    for counter in string.gmatch('booked offered waiting reserved checked_in ticket', '%S+') do
      R.set(X, c, counter, 0)
    end
    R.set(X, c, 'revision', 1)
    R.set(X, c, 'status', X.now < c.opens_at and 'scheduled' or 'open')
    R.index_class(X, c)
    R.class_timers(X, c, true)
    R.emit(X, 'class_published', X.now, { class = c })
  end

  R.write('publish_class', function(X, id, seen, ...)
    if X.org.revision ~= tonumber(seen) then return 'RETRY', {} end
    if R.class(X, id) then return R.refuse('invalid', '/id', 'is taken by another class') end
    local code, until_, detail = R.publish(X, id, { ... })
    if code then return R.refuse(code, until_, detail) end
    return 'CLASS', R.class_reply(R.class(X, id))
  end)
end
