--[[ put_names: the terms that some members are found by, in answer to ASK names or to a bite of the migration.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 revision the terms were made under  3 country phones were read in ('' = none)
         4 asked from: member, or '-' for those unread  5 go on from: member ('' = all is done)
         6 JSON list of [member, name, phone, JSON list of terms]
  REPLY  TAKEN
  EVENTS none
  WHY    only the service folds names and reads phones; whoever was asked second, or about an older policy, changes nothing ]]
R.maintain('put_names', function(X, revision, country, from, on, members)
  R.take_names(X, revision, country, from, on, members)
  R.flush(X)
  return 'TAKEN', {}
end)
