--[[ align_class: publish one class of a series, bring it in line with the series, or call it off.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms
         7 class  8 revision of the organisation the terms were computed from
         9 revision of the class the change was computed from ('' = publish it if it is not there)
         10 reach (unbooked, all)  11 cancel reason ('' = publish or change)  12 what the series gives the class now (JSON)
         13 what it gave before, where the class does not say (JSON, '' = it does)
         14… name, value pairs: of a new class all, of one that is there those that differ
  REPLY  PUBLISHED | CHANGED | CANCELLED | SAME | TAKEN | RETRY | REFUSED <code> <until> <detail>
  EVENTS class_changed, class_published, class_cancelled, booking_cancelled, waitlist_left, excused, fee_waived, ban_lifted,
         and what a higher capacity, another time or a gone obstacle causes
  WHY    unless staff say otherwise members keep the class they booked, whatever becomes of the series; what was changed by
         hand is told by what the series gave, so that is kept with the class and changed in the same step ]]
do
  local function changed(X, c, gives, gave, spared, list)
    if spared or R.change(X, c, list) then
      -- It stays as it was: not changed by hand, so what the series gave stays as well.
      if gave ~= '' then R.describe(X, c, 'given', gave) end
      return 'TAKEN', {}
    end
    R.describe(X, c, 'given', gives)
    return 'CHANGED', {}
  end

  R.write('align_class', function(X, id, rules, seen, reach, cancel, gives, gave, ...)
    local c, list = R.class(X, id), { ... }
    if not c then
      if seen ~= '' then return 'SAME', {} end
      if X.org.revision ~= tonumber(rules) then return 'RETRY', {} end
      local code, until_, detail = R.publish(X, id, list)
      if code then return R.refuse(code, until_, detail) end
      R.describe(X, R.class(X, id), 'given', gives)
      return 'PUBLISHED', {}
    end
    local over = c.status == 'cancelled' or c.status == 'finished' or X.now >= c.starts
    if over or seen == '' then return 'SAME', {} end
    if c.revision ~= tonumber(seen) then return 'RETRY', {} end
    local spared = reach ~= 'all' and c.booked + c.offered + c.waiting > 0
    if cancel ~= '' then
      if spared then return 'TAKEN', {} end
      R.call_off(X, c, X.now, cancel)
      return 'CANCELLED', {}
    end
    if #list > 0 then return changed(X, c, gives, gave, spared, list) end
    R.describe(X, c, 'given', gives)
    return 'SAME', {}
  end)
end
