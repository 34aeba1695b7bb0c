--[[ set_clock: service time stands still at an instant, or runs again.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms  7 clock_ms ('' = let it run)
  REPLY  CLOCK
  EVENTS what falls due by then
  WHY    tests and demos travel in time; kept in Redis, it holds for every instance ]]
R.write('set_clock', function(X, clock)
  R.set(X, X.org, 'clock', clock ~= '' and tonumber(clock) or nil)
  if clock ~= '' then
    X.now, X.time = tonumber(clock), nil
    X.settle_again = true
  end
  return 'CLOCK', {}
end)
