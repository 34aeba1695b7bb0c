--[[ accept: take an offered spot.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms  7 booking  8 owner
  REPLY  BOOKED <booking> | REFUSED <code> <until> <detail>
  EVENTS booking_promoted, excused, fee_waived, ban_lifted, waitlist_left, and what a gone obstacle causes
  WHY    an offer that has run out is settled first, so accepting and lapsing cannot both win ]]
R.write('accept', function(X, id, owner)
  local at, b = X.now, R.owned_booking(X, id, owner)
  if not b then return R.refuse('not_found', nil, 'booking') end
  if b.status ~= 'offered' then
    local ran_out = b.status == 'lapsed' and b.offer_expires_at
    return R.refuse(ran_out and 'offer_expired' or 'not_offered')
  end
  local c, m = R.class_of(X, b), R.member_of(X, b)
  local why, until_ = R.obstacle(X, m, c, at)
  if why then return R.refuse(why, until_) end
  R.promote(X, c, b, m, at, 'offer')
  R.look(X, c, false)
  return 'BOOKED', R.booking_reply(X, b)
end)
