--[[ series_classes: the classes of a series that have not started, by start, a part of the timetable at a time.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 series  3 after: start_ms ('' = the beginning)  4 after: class
  REPLY  CLASS_IDS <next: start_ms or ''> <next: class> <class>…
  EVENTS none
  WHY    a class that was moved by hand to another day still belongs to its series, so it is found by its name ]]
do
  local looks_max = 1600 -- ids of one call, which cost a fortieth of what else is looked at

  R.read('series_classes', function(X, series, after, after_id)
    local page, more = R.page(X, X.p .. 'classes', X.now + 1, nil, after, after_id, looks_max)
    local last, prefix = page[#page], series .. '~'
    local out = { more and R.text(last.score) or '', more and last.id or '' }
    for _, entry in ipairs(page) do
      if string.sub(entry.id, 1, #prefix) == prefix then out[#out + 1] = entry.id end
    end
    return 'CLASS_IDS', out
  end)
end
