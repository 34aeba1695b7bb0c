--[[ align_class: bring one class of a series in line with it, if nobody has booked.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms
         7 class  8 revision the change was computed from  9 cancel reason ('' = change)  10… name, value pairs that differ
  REPLY  CLASS <id> <class> | TAKEN | RETRY | REFUSED <code> <until> <detail>
  EVENTS class_changed, class_cancelled, excused, fee_waived, ban_lifted, and what a gone obstacle causes
  WHY    members keep the class they booked, whatever becomes of the series ]]
R.write('align_class', function(X, id, seen, cancel, ...)
  local c = R.class(X, id)
  if not c then return R.refuse('not_found', nil, 'class') end
  if c.revision ~= tonumber(seen) then return 'RETRY', {} end
  if c.status == 'cancelled' then return R.refuse('class_cancelled') end
  if c.booked + c.offered + c.waiting > 0 or X.now >= c.starts then return 'TAKEN', {} end
  if cancel ~= '' then
    R.call_off(X, c, X.now, cancel)
    return 'CLASS', R.class_reply(c)
  end
  local code, until_, detail = R.change(X, c, { ... })
  if code then return R.refuse(code, until_, detail) end
  return 'CLASS', R.class_reply(c)
end)
