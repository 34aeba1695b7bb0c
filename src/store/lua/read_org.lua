--[[ read_org: the organisation and its clubs.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms
  REPLY  ORG <pairs> <clubs: id, name…> <now_ms>
  EVENTS none
  WHY    settings are read with the same clock as everything else ]]
R.read('read_org', function(X)
  return 'ORG', { redis.call('HGETALL', X.org.key), redis.call('HGETALL', X.p .. 'clubs'), R.text(X.now) }
end)
