--[[ Looking at a bounded part of a sorted set, from a cursor on. ]]
do
  -- The rank of what follows a score and an id, whether or not that entry is still there. Of thousands with the same
  -- score it reads a dozen.
  local function rank_after(key, score, id)
    local low = redis.call('ZCOUNT', key, '-inf', '(' .. score)
    local high = redis.call('ZCOUNT', key, '-inf', score)
    while low < high do
      local middle = math.floor((low + high) / 2)
      if R.before(id, redis.call('ZRANGE', key, middle, middle)[1]) then high = middle else low = middle + 1 end
    end
    return low
  end

  -- At most so many entries {id, score} with lo <= score <= hi (nil: to the end) that follow a cursor, a score and an
  -- id ('' for the beginning); and whether there may be more. The caller counts what it reads of them.
  function R.page(X, key, lo, hi, after, after_id, most)
    local from
    if after ~= '' and tonumber(after) >= lo then
      from = rank_after(key, after, after_id)
    else
      from = redis.call('ZCOUNT', key, '-inf', '(' .. R.text(lo))
    end
    local raw, out = redis.call('ZRANGE', key, from, from + most - 1, 'WITHSCORES'), {}
    for i = 1, #raw, 2 do
      local score = tonumber(raw[i + 1])
      if hi and score > hi then break end
      out[#out + 1] = { id = raw[i], score = score }
    end
    X.spent = X.spent + math.floor(#out / 16)
    return out, #out == most
  end
end
