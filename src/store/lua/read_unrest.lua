--[[ read_unrest: classes ahead that are not at rest although nothing is due: another look at the queue would change them.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 after: start_ms ('' = what is ahead)  3 after: class
  REPLY  UNREST <next start_ms or ''> <next class> <class>…
  EVENTS none
  WHY    who may be promoted is asked of the code that promotes; what it would do is never written ]]
do
  local looks_max = 40    -- classes of one call
  local spent_max = 150   -- things looked at, after which the next class waits for another call

  local function restless(X, c)
    local promotions, reserved = X.promotions, c.reserved
    local entry = { class = c.id, freed = false }
    while not R.ask_waitlist(X, entry, X.now) do end
    return X.promotions ~= promotions or c.reserved ~= reserved
  end

  R.read('read_unrest', function(X, after, after_id)
    local page, more = R.page(X, X.p .. 'classes', X.now + 1, nil, after, after_id, looks_max)
    local changes, out = X.org.changes, { '', '' }
    -- The clock was set back: what has been carried out since then was right at its own time.
    if X.now < (X.org.ms or 0) then return 'UNREST', out end
    local last
    for _, entry in ipairs(page) do
      if last and X.spent > spent_max then
        more = true
        break
      end
      last = entry
      if restless(X, R.class(X, entry.id) or R.corrupt('class ' .. entry.id .. ' is missing')) then
        out[#out + 1] = entry.id
      end
    end
    if more then out[1], out[2] = R.text(last.score), last.id end
    X.org.changes = changes
    return 'UNREST', out
  end)
end
