--[[ closures: the days on which a club is closed.

  `club:<id>:closures` is a hash: closure id -> "<from> <to> <reason>", the days local and inclusive. Days are compared as
  text, as a class has its local day. ]]
do
  R.closures_max = 200 -- closures of a club: the closing days of ten years and more, and few enough to be looked through

  R.closed_then = 'lies on a day on which the club is closed'

  function R.closures_key(X, club) return X.p .. 'club:' .. club .. ':closures' end

  -- Whether the club is closed on a local day.
  function R.closed_on(X, club, day)
    local closures = redis.call('HVALS', R.closures_key(X, club))
    X.spent = X.spent + math.floor(#closures / 16)
    for _, text in ipairs(closures) do
      if string.sub(text, 1, 10) <= day and day <= string.sub(text, 12, 21) then return true end
    end
    return false
  end
end
