--[[ terms: a new policy reaches the classes that are not yet open.

  Only the service knows the calendar. So a call that finds the organisation's field `reterm` (JSON: policy revision,
  how far it came, whose change it is and when) answers ASK with some of these classes; the service sends their terms by
  put_terms and calls again. No other call of the organisation is answered meanwhile. ]]
do
  local classes_max = 24 -- classes of one question: each answer is some twenty fields

  -- Begins: every class not yet open gets new terms.
  function R.new_terms(X)
    R.set(X, X.org, 'reterm', cjson.encode({
      revision = X.org.revision, at = X.now, sub = X.by.sub, role = X.by.role, start = '', class = '',
    }))
  end

  -- Asks for the next classes' terms: leaves the question in X.ask. False, as the call must be made again.
  function R.ask_terms(X)
    local reterm = cjson.decode(X.org.reterm)
    local page, more = R.page(X, X.p .. 'classes', reterm.at, nil, reterm.start, reterm.class, R.scan_max)
    local found, last = {}, nil
    for _, entry in ipairs(page) do
      if #found == 2 * classes_max or X.spent >= R.budget and last then
        more = true
        break
      end
      local c = R.class(X, entry.id)
      if c and c.status == 'scheduled' then
        found[#found + 1] = c.id
        found[#found + 1] = redis.call('HGETALL', c.key)
      end
      last = entry
    end
    X.ask = {
      'terms', redis.call('HGET', X.org.key, 'policy'), R.text(reterm.revision), reterm.start, reterm.class,
      more and R.text(last.score) or '', more and last.id or '', unpack(found),
    }
    return false
  end

  function R.reterm(X, c, fields, at)
    local list = {}
    for name, value in pairs(fields) do list[#list + 1], list[#list + 2] = name, value end
    R.assign(X, c, 'class', list)
    R.set(X, c, 'revision', c.revision + 1)
    R.class_timers(X, c, true)
    R.emit(X, 'class_changed', at, { class = c, data = { changed = { 'terms' } } })
  end
end
