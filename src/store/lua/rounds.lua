--[[ Rounds: a booking that its member gives up leaves some kilobytes behind, in the history and the stream. A member
  who books and cancels the same class again and again is stopped for the rest of 24 hours. ]]
do
  local rounds_max = 20        -- bookings of one class that one member may give up in `span_ms`
  local span_ms = 86400000     -- 24 h

  -- When the member's first round of the span began, and how many there have been since.
  local function rounds_of(c, member, at)
    local text = redis.call('HGET', c.key .. ':rounds', member)
    local first, count = string.match(text or '', '^(%d+) (%d+)$')
    if not first or at - tonumber(first) >= span_ms then return at, 0 end
    return tonumber(first), tonumber(count)
  end

  -- A booking of the class was given up.
  function R.count_round(X, c, b, at)
    local first, count = rounds_of(c, b.member, at)
    local key = c.key .. ':rounds'
    R.set(X, c, 'rounds', (c.rounds or 0) + 1)
    X.types[key] = 'hash'
    X.after[#X.after + 1] = { 'HSET', key, b.member, R.text(first) .. ' ' .. R.text(count + 1) }
  end

  -- Where the member has given up too many bookings of the class: when they may book it again; otherwise nil.
  function R.too_many_rounds(c, m, at)
    if (c.rounds or 0) < rounds_max then return end
    local first, count = rounds_of(c, m.id, at)
    if count >= rounds_max then return first + span_ms end
  end
end
