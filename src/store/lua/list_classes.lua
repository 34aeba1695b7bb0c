--[[ list_classes: the timetable, by start, then id.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 club ('' = all)  3 category  4 instructor  5 from_ms ('' = the first)  6 to_ms (exclusive)
         7 limit  8 after: start_ms ('' = from the beginning)  9 after: class  10 member ('' = nobody)
  REPLY  CLASSES <next start_ms or ''> <next class> <entry>…
  EVENTS none
  WHY    filters look at a bounded number of classes a call; a full look ends with a cursor ]]
do
  -- The shortest list that has them all.
  local function list_of(X, club, category, instructor)
    if R.laid_out(X, 2) and instructor ~= '' then return 'instructor:' .. R.part[instructor] .. ':classes' end
    if club ~= '' then return 'club:' .. club .. ':classes' end
    if R.laid_out(X, 2) and category ~= '' then return 'category:' .. R.part[category] .. ':classes' end
    return 'classes'
  end

  local function matches(c, club, category, instructor)
    return (club == '' or c.club == club) and (category == '' or c.category == category)
      and (instructor == '' or c.instructor == instructor)
  end

  R.read('list_classes', function(X, club, category, instructor, from, to, limit, after, after_id, member)
    local list = X.p .. list_of(X, club, category, instructor)
    local hi = to ~= '' and tonumber(to) - 1 or nil
    local page, more = R.page(X, list, tonumber(from) or 0, hi, after, after_id, R.scan_max)
    local found, last = {}, nil
    for _, entry in ipairs(page) do
      if #found == tonumber(limit) or (last and X.spent >= R.budget) then
        more = true
        break
      end
      local c = R.class(X, entry.id) or R.corrupt('class ' .. entry.id .. ' is missing')
      if matches(c, club, category, instructor) then found[#found + 1] = R.class_entry(X, c, member) end
      last = entry
    end
    local out = { more and R.text(last.score) or '', more and last.id or '' }
    for _, entry in ipairs(found) do out[#out + 1] = entry end
    return 'CLASSES', out
  end)
end
