--[[ waive_fee: take a charge back by a line of its own.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms  7 ledger line  8 reason
  REPLY  FEE <id> <line> | REFUSED <code> <until> <detail>
  EVENTS fee_waived
  WHY    nothing in the ledger is ever edited; waived again, the same waiver is answered ]]
do
  local function line_of(X, id)
    local found = redis.call('XRANGE', X.p .. 'fees', id .. '-0', id .. '-0')[1]
    if not found then return end
    local out, flat = {}, found[2]
    for i = 1, #flat, 2 do out[flat[i]] = flat[i + 1] end
    return out, flat
  end

  function R.payloads.fee(X, id)
    local _, flat = line_of(X, id)
    return { id, flat }
  end

  R.write('waive_fee', function(X, id, reason)
    local line = line_of(X, id)
    if not line then return R.refuse('not_found', nil, 'fee') end
    if line.kind ~= 'charged' then return R.refuse('wrong_status') end
    local b = R.load(X, 'booking', line.booking)
    if not b then return R.refuse('wrong_status', nil, 'retention has forgotten the booking') end
    R.waive(X, X.now, R.class_of(X, b), b, line.reason, reason)
    return 'FEE', { kind = 'fee', id = b['waived_' .. line.reason] }
  end)
end
