--[[ The work that a change brings with it, done in bites.

  One change may concern thousands of bookings, and Redis serves nobody else while a function runs. So a call looks at
  about `budget` stored things, leaves the rest in the set `rest`, and answers BEGUN. Every call of the organisation
  goes on with the rest before anything else: nobody is answered between two bites, other organisations are.

  Three lanes, each first in first out; a lane is worked on when those before it are empty:
    1  steps     a change under way: a class is moved, closed or called off, a member leaves their places
    2  looks     classes whose waitlist is asked, because a spot or an obstacle may have gone
    3  members   members who gained or lost a spot, a clip or a ban: the classes they wait in may concern them now

  An entry is a table that says how far it came. In `rest` it is JSON, under a score that gives lane and order; the
  organisation's field `rest` says whose change it is and at which instant. ]]
do
  local texts = R.texts
  local lane_size = 1000000000000 -- no lane ever holds so many
  local middle = 1000000000       -- the place of the first entry left; what comes before it is put in front
  local loaded_max = 32           -- entries of a lane read at once

  local function push(X, lane, entry)
    local made = X.made[lane]
    made.last = made.last + 1
    made[made.last] = entry
  end

  -- The change goes on with R.steps[entry.kind].
  function R.step(X, entry) push(X, 1, entry) end

  -- The class's waitlist is asked. `freed`: a spot has become free, so those passed over are named.
  function R.look(X, c, freed) push(X, 2, { class = c.id, freed = freed }) end

  -- The member's waiting places are looked at again before the call ends.
  function R.touched(X, id)
    if X.touched[id] then return end
    X.touched[id] = true
    push(X, 3, { member = id })
  end

  R.steps = {}

  -- Whether a piece of work stops here for now: the budget is spent, or a step it began is to be done first.
  local function waits(X) return X.spent >= R.budget or X.made[1].first <= X.made[1].last end

  -- Calls `f` for the member's live places by class start, then class id, from where the entry has come to, until the
  -- budget is spent; `f` may say 'enough'. True at the end.
  function R.each_place(X, entry, m, f)
    local entries, i = R.range(R.upcoming(X, m.id), entry.from, nil), 1
    while entries[i] do
      local starts, together = entries[i].score, {}
      while entries[i] and entries[i].score == starts do
        local b = R.booking(X, entries[i].id)
        together[#together + 1], i = { booking = b, class = b.class }, i + 1
      end
      table.sort(together, function(a, b) return R.before(a.class, b.class) end)
      for _, place in ipairs(together) do
        local seen = starts == entry.from and entry.seen and not R.before(entry.seen, place.class)
        if not seen then
          entry.from, entry.seen = starts, place.class
          if f(place.booking) == 'enough' then return true end
          if waits(X) then return false end
        end
      end
    end
    return true
  end

  local function look_around(X, entry, at)
    local m = R.member(X, entry.member)
    entry.from = entry.from or at + 1
    return R.each_place(X, entry, m, function(b)
      local c = b.status == 'waitlisted' and R.class_of(X, b)
      -- A class at rest concerns the member only if they may have a spot in it now.
      if c and (c.reserved > 0 or not R.obstacle(X, m, c, at)) then R.look(X, c, false) end
    end)
  end

  local lanes = {
    function(X, entry, at) return R.steps[entry.kind](X, entry, at) end,
    function(X, entry, at) return R.ask_waitlist(X, entry, at) end,
    look_around,
  }

  -- The next entries of a lane that an earlier call left.
  local function load(X, lane)
    local kept = X.kept[lane]
    local raw = redis.call('ZRANGEBYSCORE', X.p .. 'rest', texts[kept.from], '(' .. texts[(lane + 1) * lane_size],
      'WITHSCORES', 'LIMIT', 0, loaded_max)
    for i = 1, #raw, 2 do
      kept.last = kept.last + 1
      local score = tonumber(raw[i + 1])
      kept[kept.last] = { text = raw[i], lane = lane, entry = cjson.decode(string.match(raw[i], ' (.*)$')) }
      kept.from = score + 1
    end
    kept.all = #raw < 2 * loaded_max
  end

  -- The next piece, { entry, lane, text in `rest` }: what is left of an earlier call comes first.
  local function pop(X, last_lane)
    for lane = 1, last_lane do
      local kept = X.kept and X.kept[lane]
      if kept then
        if kept.first > kept.last and not kept.all then load(X, lane) end
        local piece = kept[kept.first]
        if piece then
          kept[kept.first], kept.first = nil, kept.first + 1
          R.drop(R.z(X, 'rest'), piece.text)
          return piece
        end
      end
      local made = X.made[lane]
      local entry = made[made.first]
      if entry then
        made[made.first], made.first = nil, made.first + 1
        if lane == 3 then X.touched[entry.member] = nil end
        return { entry = entry, lane = lane }
      end
    end
  end

  -- The step that the piece at work has just begun. What an earlier call left behind that piece waits for it.
  local function begun_step(X)
    local made = X.made[1]
    local entry = made[made.first]
    if not entry then return nil end
    made[made.first], made.first = nil, made.first + 1
    return { entry = entry, lane = 1 }
  end

  local function keep(X, entry, lane, place)
    local score = lane * lane_size + place
    R.put(R.z(X, 'rest'), texts[score] .. ' ' .. cjson.encode(entry), score)
  end

  -- Leaves to the next call what was begun, the innermost first, and behind it what this call has made.
  local function leave(X, at)
    local org = X.org
    local front, back = org.rest_front or middle, org.rest_back or middle
    for _, piece in ipairs(X.begun) do
      front = front - 1
      keep(X, piece.entry, piece.lane, front)
    end
    for lane = 1, 3 do
      local made = X.made[lane]
      for i = made.first, made.last do
        back = back + 1
        keep(X, made[i], lane, back)
      end
      X.made[lane] = { first = 1, last = 0 }
    end
    X.touched, X.begun, X.more = {}, {}, true
    R.set(X, org, 'rest_front', front)
    R.set(X, org, 'rest_back', back)
    R.set(X, org, 'rest', cjson.encode({
      at = at, sub = X.by.sub, role = X.by.role, settling = X.settling or false,
    }))
  end

  local function may_go_on(X) return not X.ran or X.spent < R.budget end

  -- Works on a piece to its end. A piece that begins a step waits until that is done. False: the budget is spent.
  local function finish(X, piece, at)
    X.begun[#X.begun + 1] = piece
    while true do
      if not may_go_on(X) then return false end
      X.ran = true
      if lanes[piece.lane](X, piece.entry, at) then break end
      local step = begun_step(X)
      if step and not finish(X, step, at) then return false end
    end
    X.begun[#X.begun] = nil
    return true
  end

  -- Does what there is to do, each piece at the given instant, until the budget is spent. Always at least one piece, so
  -- that it comes to an end. False: the rest is left to the next call.
  function R.run(X, at)
    local piece = pop(X, 3)
    while piece do
      if not finish(X, piece, at) then
        leave(X, at)
        return false
      end
      piece = pop(X, 3)
    end
    X.kept = false
    if X.org.rest then
      for _, name in ipairs({ 'rest', 'rest_front', 'rest_back' }) do R.set(X, X.org, name, nil) end
    end
    return true
  end

  -- Goes on with what an earlier call left.
  function R.go_on(X)
    local rest, caller = cjson.decode(X.org.rest), X.by
    X.by, X.settling, X.kept = { sub = rest.sub, role = rest.role }, rest.settling, {}
    for lane = 1, 3 do X.kept[lane] = { first = 1, last = 0, from = lane * lane_size, all = false } end
    local done = R.run(X, rest.at)
    X.by, X.settling = caller, false
    return done
  end

  -- Calls `f` for the bookings of some of the class's sets in ticket order, from where the entry has come to, until the
  -- budget is spent; `f` may say 'enough'. True at the end.
  function R.each_booking(X, entry, c, names, f)
    while true do
      local page = R.bookings_after(X, c, names, entry.after or 0, 16)
      if #page == 0 then break end
      for _, b in ipairs(page) do
        entry.after = b.ticket
        if f(b) == 'enough' then
          entry.after = nil
          return true
        end
        if waits(X) then return false end
      end
    end
    entry.after = nil
    return true
  end

  -- Calls `f` for the entries of a set, which it empties, until the budget is spent. True at the end.
  function R.each_entry(X, z, f)
    while true do
      local entry = R.range(z, nil, nil, 1)[1]
      if not entry then return true end
      R.drop(z, entry.id)
      f(entry.id)
      if waits(X) then return false end
    end
  end
end
