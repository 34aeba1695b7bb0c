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

  -- Made after the writing: a queue that is no set must be found before.
  function R.booking_reply(X, b)
    if b.status == 'waitlisted' then X.types[X.p .. 'class:' .. b.class .. ':queue'] = 'zset' end
    return function() return { R.booking_doc(X, b) } end
  end

  function R.class_doc(c) return redis.call('HGETALL', c.key) end

  function R.class_reply(c)
    return function() return { c.id, R.class_doc(c) } end
  end

  -- What the class means to the member: their live booking, and whether they may book.
  function R.class_for(X, c, m)
    local b = R.live_in(X, m, c)
    local why, until_ = R.shut(c, X.now)
    if not why and not b then why, until_ = R.why_not(X, c, m, X.now, true, false) end
    return { b and R.booking_doc(X, b) or {}, { 'code', R.text(why), 'until', R.text(until_) } }
  end
end
