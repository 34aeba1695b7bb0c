#!lua name=rollcall_@HASH@
--[[ The shared table of the library: one call is one unit of work.

  A function reads what it needs through the unit `X`, changes the copies it holds, and only then the
  unit is flushed: key types are checked first, the first write follows, and nothing after it can fail.
  An error anywhere before that leaves no trace.

  Keys of one organisation, all under the prefix rc:{org}:
    org                   hash    name zone currency policy revision clock time changes ms, and what is under way:
                                  rest rest_front rest_back (work.lua), reterm (terms.lua), layout noted migrated (layout.lua),
                                  read_in read_at directory unread (directory.lua)
    clubs                 hash    club id -> name
    rest                  zset    what the last call left to do, in order (work.lua)
    class:<id>            hash    what is taught, the terms, status, counters
    class:<id>:rounds     hash    member -> "<ms of the first> <how many>": bookings given up, for those who do it again and again
    class:<id>:roster     zset    bookings with a spot (booked, checked_in) by ticket
    class:<id>:queue      zset    bookings on the waitlist by ticket
    class:<id>:offers     zset    bookings with an offered spot by ticket
    class:<id>:late       zset    late cancels not yet forgiven, by change number
    class:<id>:void       zset    no-shows, by ticket
    class:<id>:history    list    the class's events, oldest first: "<cursor> <line>"
    booking:<id>          hash    member, class, status, ticket, how it was paid, times
    member:<id>           hash    name, contact, membership, ban, open fees
    member:<id>:upcoming  zset    live bookings by class start
    member:<id>:history   zset    all bookings by change number
    member:<id>:strikes   zset    bookings that count as strikes, by class start
    member:<id>:fees      zset    lines of the ledger, by their number
    member:<id>:replies   hash    command -> the reply it got, for replies with a name in them; goes with the person
    members               zset    member ids, by id
    members:index         zset    "<term>\t<id>" for look-up by id, phone or name, as layouts before 3 read it
    members:terms         zset    "<term>\t<id>" for look-up (layout 3, directory.lua)
    members:unread        zset    members whose terms are to be asked for
    classes               zset    class ids by start
    club:<id>:classes     zset    the same for one club
    club:<id>:closures    hash    closure id -> "<from> <to> <reason>", days on which the club is closed
    category:<name>:classes, instructor:<id>:classes   zset    the same for one category, one instructor (layout 2)
    unopened              zset    classes whose booking has not opened, by opening
    series                hash    series id -> JSON {body, status, revision}
    series:published      hash    series id -> the last day published
    series:ids            zset    series ids, by id
    series:due            zset    active series by the day on which they are next looked at
    series:rules          hash    revision: the rules (R.series_rules) under which those days were said
    series:again          hash    club id -> the day from which on its series look again for what they left out
    timers                zset    what falls due, by instant; equal instants in the order of the text
    fees                  stream  the ledger, under the change number
    events                stream  everything that happened, under <ms>-<change number>
    done:<command>        string  the remembered reply of a command
    told:<command>        string  the same where the reply stands in member:<id>:replies
    keyed:<role>:<sub>    string  how many keyed calls of a caller are remembered
  In a key a `:` or `%` of a member's, instructor's or category's own name is written `%3A` or `%25` (R.part).
]]
-- A global is found through two tables, and while a library loads most are not there at all: the first call takes
-- over those that are used, and from then on they are locals of everything below.
local function globals()
  return redis, string, table, math, cjson, ipairs, next, pairs, rawget, setmetatable, tonumber, type, unpack, error
end
local register = redis.register_function
local redis, string, table, math, cjson, ipairs, next, pairs, rawget, setmetatable, tonumber, type, unpack, error

local memos = {}
local function take_over()
  redis, string, table, math, cjson, ipairs, next, pairs, rawget, setmetatable, tonumber, type, unpack, error = globals()
  for made, how in pairs(memos) do setmetatable(made, how) end
end

-- A table of what `make` makes of a value, which must follow from the value alone: it is kept from call to call, as a
-- table is read many times faster than a number is written out. What is said to be `fleeting`, or nil, is not kept.
local memo_max = 1024
local function memo(make)
  local made, count = {}, 0
  memos[made] = {
    __index = function(_, v)
      local new, fleeting = make(v)
      if new == nil or fleeting then return new end
      if count == memo_max then
        for known in pairs(made) do made[known] = nil end
        count = 0
      end
      made[v], count = new, count + 1
      return new
    end,
  }
  return made
end

local R = {
  budget = @BUDGET@,             -- things one call looks at before it leaves the rest to the next (work.lua)
  scan_max = 100,           -- index entries one listing call looks at
  near_ms = 93600000,       -- 26 h: a class that overlaps another or shares its local day starts within this
  remembered_ms = 86400000, -- 24 h: for so long a repeated command gets the same reply
}

do -- numbers and text
  -- A name as it stands inside a key: no two names give the same key, and none runs into what follows it.
  R.part = memo(function(name)
    return (string.gsub(name, '[%%:]', function(c) return string.format('%%%02X', string.byte(c)) end))
  end)

  -- How a value is stored. A text is its own; what is not a number is no key of a table.
  R.texts = memo(function(v)
    if v == nil or v == false then return '', true end
    if v == true then return '1' end
    if type(v) == 'number' then return string.format('%d', v), v ~= v end
    return v, true
  end)
  local texts = R.texts
  function R.text(v) return texts[v] end

  -- The number a text stands for, or nil.
  R.numbers = memo(function(text) return tonumber(text) end)

  -- Whether a text comes first byte by byte, as Redis sorts; Lua's own `<` follows the locale the server was started in.
  function R.before(a, b)
    for i = 1, math.min(#a, #b) do
      local x, y = string.byte(a, i), string.byte(b, i)
      if x ~= y then return x < y end
    end
    return #a < #b
  end

  -- The order of classes: by start, then by id.
  function R.starts_earlier(a, b)
    if a.starts ~= b.starts then return a.starts < b.starts end
    return R.before(a.id, b.id)
  end

  function R.corrupt(what)
    error('CORRUPT ' .. what, 0)
  end
end

do -- hashes: loaded once per call, written back by field
  -- What the core reads of each hash; everything else in it is only described. The first group is read with the hash,
  -- each other when one of its fields is first asked for: most calls never do, and reading it all would cost them more
  -- than what they decide.
  local kinds = {
    org = {
      { text = 'zone rest reterm noted unread', number = 'revision clock time changes ms layout read_at' },
      { text = 'name currency migrated read_in directory', number = 'rest_front rest_back reopened' },
    },
    class = {
      {
        text = 'club category date status',
        number = 'starts opens_at closes_at promote_until capacity booked offered waiting reserved checked_in ticket'
          .. ' minimum min_age daily_limit open_limit forgive rounds',
      },
      { text = 'mode then', number = 'ends allow_overlap waitlist_max' },
      {
        text = 'instructor indexed passed_over zone late quiet currency below_minimum untouched_roster started closed'
          .. ' untouched',
        number = 'revision cancel_by decide_at check_in_opens check_in_due check_in_closes late_fee late_is_strike'
          .. ' offer_ms grace_ms after_booking_ms leave_overlapping check_in_fee no_show_fee strikes strike_window_ms ban_ms change_notice_ms'
          .. ' queued promoted promoted_ms late_cancels no_shows',
      },
    },
    booking = {
      {
        text = 'class member status paid_with currency late present first_time',
        number = 'ticket offer_expires_at fee created_at updated_at',
      },
      {
        text = 'clip_charged late_clip_charged walk_in excused lifted late_charged fee_late_cancel fee_late_check_in'
          .. ' fee_no_show waived_late_cancel waived_late_check_in waived_no_show',
        number = 'free_until strike',
      },
    },
    member = {
      { text = 'status plan valid_from valid_until clubs categories frozen erased', number = 'clips banned_until' },
      { text = 'clips_revision born index terms', number = 'ban_ended open_fees visits' },
    },
  }

  local numbers, texts = R.numbers, R.texts

  -- Nothing of a group is ever changed before it was read.
  local function read(e, fields, group)
    local names, first_number = fields[group], fields.first_number[group]
    e.unit.spent = e.unit.spent + 1
    local values, found = redis.call('HMGET', e.key, unpack(names)), false
    for i = 1, #names do
      local v = values[i]
      if v then
        found = true
        if v ~= '' then
          if i >= first_number then v = numbers[v] or R.corrupt(e.key .. ' ' .. names[i]) end
          e[names[i]] = v
        end
      end
    end
    e[group] = true
    return found
  end

  -- The names of a kind, split on first use: while a library loads, Redis has no string functions.
  local fields_of = memo(function(kind)
    local fields = { is_number = {}, group_of = {}, first_number = {} }
    for group, names in ipairs(kinds[kind]) do
      fields[group] = {}
      for _, type_ in ipairs({ 'text', 'number' }) do
        if type_ == 'number' then fields.first_number[group] = #fields[group] + 1 end
        for name in string.gmatch(names[type_], '%S+') do
          table.insert(fields[group], name)
          fields.group_of[name], fields.is_number[name] = group, type_ == 'number'
        end
      end
    end
    function fields.__index(e, name)
      local group = fields.group_of[name]
      if not group or rawget(e, group) then return nil end
      read(e, fields, group)
      return rawget(e, name)
    end
    return fields
  end)

  -- What a hash carries beside its fields.
  local function fresh(X, kind, key, id)
    return {
      unit = X, key = key, id = id, is_number = fields_of[kind].is_number, dirty = {}, changed = false, described = false,
      was_reserved = false,
    }
  end

  local function key_of(X, kind, id)
    return X.p .. kind .. ':' .. (kind == 'member' and R.part[id] or id)
  end

  -- A key of the member beside the member's own hash.
  function R.member_key(X, id, name) return key_of(X, 'member', id) .. ':' .. name end

  function R.load(X, kind, id)
    local of = X.entities[kind]
    local e = of[id]
    if e ~= nil then return e or nil end
    local fields = fields_of[kind]
    e = fresh(X, kind, kind == 'org' and X.keys.org or key_of(X, kind, id), id)
    if not read(e, fields, 1) and kind ~= 'org' then
      of[id] = false
      return nil
    end
    of[id] = setmetatable(e, fields)
    return e
  end

  -- A hash that does not exist yet; its key must be free.
  function R.create(X, kind, id)
    local e = fresh(X, kind, key_of(X, kind, id), id)
    X.entities[kind][id] = e
    X.types[e.key] = 'hash'
    return e
  end

  function R.set(X, e, name, value)
    if e[name] == value then return end
    e[name], e.dirty[name] = value, true
    if not e.changed then
      e.changed = true
      X.changed[#X.changed + 1] = e
    end
  end

  -- Fields the core never reads back (names, titles, JSON): straight to the flush.
  function R.describe(X, e, name, value)
    e.described = e.described or {}
    e.described[name], e.dirty[name] = value, true
    if not e.changed then
      e.changed = true
      X.changed[#X.changed + 1] = e
    end
  end

  -- Name and value pairs as they come from outside: what the core reads becomes typed, the rest is described.
  function R.assign(X, e, kind, list)
    local fields = fields_of[kind]
    for i = 1, #list, 2 do
      local name, value = list[i], list[i + 1]
      if not fields.group_of[name] then
        R.describe(X, e, name, value)
      elseif value == '' then
        R.set(X, e, name, nil)
      else
        R.set(X, e, name, fields.is_number[name] and (tonumber(value) or R.corrupt(name)) or value)
      end
    end
  end

  function R.class(X, id) return R.load(X, 'class', id) end
  function R.booking(X, id)
    return R.load(X, 'booking', id) or R.corrupt('booking ' .. id .. ' is missing')
  end
  function R.member(X, id) return R.load(X, 'member', id) end
  function R.class_of(X, b)
    return R.class(X, b.class) or R.corrupt('class ' .. b.class .. ' is missing')
  end
  function R.member_of(X, b)
    return R.member(X, b.member) or R.corrupt('member ' .. b.member .. ' is missing')
  end
end
