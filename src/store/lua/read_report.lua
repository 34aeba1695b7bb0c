--[[ read_report: the counters of the classes that start in a span.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 from_ms  3 to_ms (exclusive)  4 after: start_ms ('' = the beginning)  5 after: class
  REPLY  REPORT <next start_ms or ''> <next class> <id> <pairs>…
  EVENTS none
  WHY    counted when it happened, so a report reads classes, never bookings ]]
do
  local looks_max = 150 -- classes of one call

  local fields = {
    'title', 'club', 'instructor', 'instructor_name', 'starts', 'status', 'capacity', 'booked', 'checked_in',
    'no_shows', 'late_cancels', 'queued', 'promoted', 'promoted_ms',
  }

  R.read('read_report', function(X, from, to, after, after_id)
    local page, more = R.page(X, X.p .. 'classes', tonumber(from), tonumber(to) - 1, after, after_id, looks_max)
    local out = { '', '' }
    X.spent = X.spent + #page
    for _, entry in ipairs(page) do
      local values, pairs_ = redis.call('HMGET', X.p .. 'class:' .. entry.id, unpack(fields)), {}
      for i, name in ipairs(fields) do pairs_[2 * i - 1], pairs_[2 * i] = name, values[i] or '' end
      out[#out + 1] = entry.id
      out[#out + 1] = pairs_
    end
    if more then out[1], out[2] = R.text(page[#page].score), page[#page].id end
    return 'REPORT', out
  end)
end
