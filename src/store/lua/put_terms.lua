--[[ put_terms: the answer to ASK terms: new terms for some classes that are not yet open.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 policy revision  3 asked from: start_ms  4 asked from: class  5 go on from: start_ms ('' = all is done)
         6 go on from: class  7 JSON list of [class, revision, {name: value}]
  REPLY  TAKEN
  EVENTS class_changed
  WHY    whoever was asked second, or about an older policy, changes nothing ]]
R.maintain('put_terms', function(X, revision, from, from_class, on, on_class, classes)
  if not X.org.reterm then return 'TAKEN', {} end
  local reterm = cjson.decode(X.org.reterm)
  if R.text(reterm.revision) ~= revision or reterm.start ~= from or reterm.class ~= from_class then
    return 'TAKEN', {}
  end
  X.now, X.by = reterm.at, { sub = reterm.sub, role = reterm.role }
  for _, change in ipairs(cjson.decode(classes)) do
    local c = R.class(X, change[1])
    if c and c.status == 'scheduled' and c.revision == change[2] then R.reterm(X, c, change[3], reterm.at) end
  end
  reterm.start, reterm.class = on, on_class
  R.set(X, X.org, 'reterm', on ~= '' and cjson.encode(reterm) or nil)
  R.flush(X)
  return 'TAKEN', {}
end)
