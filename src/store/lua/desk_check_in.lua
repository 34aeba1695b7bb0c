--[[ desk_check_in: check a member in to their class at this club, found by id or phone.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms  7 club  8 member ('' = by phone)
         9 phone as it was put in  10 revision it was read under
         11 JSON: `term` of the phone ('' = nobody's), and the forms in which an `older` layout may have it
         12 choose ('1': where several could be meant, say who, and check nobody in)
  REPLY  CHECKED_IN <booking> | CHOICES <member>… | RETRY <revision> <policy> <zone> | REFUSED <code> <until> <detail>
  EVENTS checked_in, fee_charged, present_on_standby, booking_promoted, excused, fee_waived, ban_lifted,
         waitlist_left, and what a gone obstacle causes
  WHY    the one at the kiosk need not know which class, only who they are ]]
do
  local sharers_max = 32 -- members one number is looked up for: a family, and not a number that stands for none

  local function who(X, member, phone, read)
    if member ~= '' then return { member } end
    local key, terms, out, seen = X.p .. 'members:index', { phone }, {}, {}
    if read and R.laid_out(X, 3) then
      key, terms = X.p .. 'members:terms', read.term ~= '' and { read.term } or {}
    elseif read then
      terms = read.older
    end
    for _, term in ipairs(terms) do
      local found = redis.call('ZRANGEBYLEX', key, '[' .. term .. '\t', '(' .. term .. '\t\255', 'LIMIT', 0, sharers_max)
      X.spent = X.spent + #found
      for _, entry in ipairs(found) do
        local id = string.match(entry, '\t(.*)$')
        if not seen[id] then
          seen[id], out[#out + 1] = true, id
        end
      end
    end
    return out
  end

  -- Not yet checked in first, spots before waiting places, the earliest start.
  local function rank(place)
    local b = place.booking
    return (b.present and 2 or 0) + (b.status == 'waitlisted' and 1 or 0)
  end

  local function before(a, b)
    local one, other = rank(a), rank(b)
    if one ~= other then return one < other end
    if a.class.starts ~= b.class.starts then return a.class.starts < b.class.starts end
    return R.before(a.booking.member, b.booking.member)
  end

  -- The member's best place at the club that check-in is open for, or nil.
  local function best_place(X, club, m)
    local best
    for _, place in ipairs(R.places(X, m, X.now - R.near_ms, nil)) do
      local c = place.class
      if c.club == club and not R.check_in_shut(c, X.now) and (not best or before(place, best)) then best = place end
    end
    return best
  end

  -- Whether there is such a member, and the best place of each who has one, the one that is meant first.
  local function arriving(X, club, members)
    local found, places = false, {}
    for _, id in ipairs(members) do
      local m = R.known_member(X, id)
      found = found or m ~= nil
      places[#places + 1] = m and best_place(X, club, m)
    end
    table.sort(places, before)
    return found, places
  end

  -- Of several members who have not yet arrived, any may stand at the door.
  local function in_doubt(places)
    local members = {}
    for i, place in ipairs(places) do
      if not place.booking.present then members[i] = place.booking.member end
    end
    return #members > 1 and members
  end

  R.write('desk_check_in', function(X, club, member, phone, revision, read, choose)
    if R.read_otherwise(X, revision) then return 'RETRY', R.rules_now(X) end
    if redis.call('HEXISTS', X.p .. 'clubs', club) == 0 then
      return R.refuse('invalid', '/club', 'there is no such club')
    end
    local known = read and read ~= '' and cjson.decode(read)
    local found, places = arriving(X, club, who(X, member, phone, known))
    if not found then
      return R.refuse('invalid', member ~= '' and '/member' or '/phone', 'there is no such member')
    end
    local place = places[1]
    if not place then return R.refuse('check_in_not_open') end
    local choices = choose == '1' and in_doubt(places)
    if choices then return 'CHOICES', choices end
    local why, until_ = R.check_in(X, place.class, place.booking, X.now)
    if why then return R.refuse(why, until_) end
    return 'CHECKED_IN', R.booking_reply(X, place.booking)
  end)
end
