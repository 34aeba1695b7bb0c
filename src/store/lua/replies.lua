--[[ The shapes that replies share: flat name, value lists of text. Made after the flush. ]]
do
  local texts = R.texts

  function R.booking_doc(X, b)
    local doc = {
      'id', b.id, 'class', b.class, 'member', b.member, 'status', b.status,
      'offer_expires_at', texts[b.offer_expires_at], 'paid_with', b.paid_with or '', 'late', b.late or '',
      'present', b.present or '', 'first_time', b.first_time or '', 'fee', texts[b.fee], 'currency', b.currency or '',
      'created_at', texts[b.created_at], 'updated_at', texts[b.updated_at],
    }
    if b.status == 'waitlisted' then
      doc[#doc + 1] = 'position'
      doc[#doc + 1] = R.text(redis.call('ZCOUNT', X.p .. 'class:' .. b.class .. ':queue', '-inf', R.text(b.ticket)))
    end
    return doc
  end

  function R.payloads.booking(X, id) return { R.booking_doc(X, R.booking(X, id)) } end

  -- The position is read after the flush, so a key of the wrong type is looked for before the first write.
  function R.booking_reply(X, b)
    if b.status == 'waitlisted' then X.types[X.p .. 'class:' .. b.class .. ':queue'] = 'zset' end
    return { kind = 'booking', id = b.id }
  end

  -- All of a class: seventy fields cost as much as three things that are looked at for a few.
  function R.class_doc(c)
    c.unit.spent = c.unit.spent + 3
    return redis.call('HGETALL', c.key)
  end

  function R.payloads.class(X, id) return { id, R.class_doc(R.class(X, id)) } end

  function R.class_reply(c) return { kind = 'class', id = c.id } end

  function R.payloads.standing(X, id) return R.standing_of(X, R.member(X, id)) end

  function R.payloads.org(X, created) return { redis.call('HGETALL', X.org.key), created } end

  -- nil where the member has been erased.
  function R.payloads.member(X, id)
    local m = R.member(X, id)
    if m and not m.erased then return { id, redis.call('HGETALL', m.key) } end
  end

  local replies_max = 32 -- replies with a member's name that are kept at once; a call older than these is answered by the profile as it is now

  -- Replies with a name in them are kept beside the person, and go with them.
  function R.keep_reply(X, member, command, reply, keep_ms)
    local key = R.member_key(X, member, 'replies')
    if redis.call('HLEN', key) >= replies_max then redis.call('DEL', key) end
    redis.call('HSET', key, command, cjson.encode(reply))
    redis.call('PEXPIRE', key, keep_ms)
  end

  function R.kept_reply(X, member, command)
    local kept = redis.call('HGET', R.member_key(X, member, 'replies'), command)
    return kept and cjson.decode(kept) or nil
  end

  -- What the class means to the member: their live booking, and whether they may book.
  function R.class_for(X, c, m)
    local b = R.live_in(X, m, c)
    local why, until_ = R.shut(c, X.now)
    if not why and not b then why, until_ = R.why_not(X, c, m, X.now, true, false) end
    return { b and R.booking_doc(X, b) or {}, { 'code', R.text(why), 'until', R.text(until_) } }
  end
end
