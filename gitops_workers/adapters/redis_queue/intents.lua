-- The due queue's intents and leases: who wants an attempt, who has one.
-- The five files are one script, in the order queue.py names; keys: gitops_workers/redis_keys.py.
-- Each operation's arguments stand above it; times are seconds.

-- member, lane, fleet, due_in ("" = not due)
function operations.enroll(member, lane, fleet, due_in)
  redis.call('ZADD', P .. 'members', 'NX', now, member)
  local row = load(member)
  if not row then
    row = {member = member, lane = lane, fleet = fleet, want = 0, done = 0, state = 'idle', class = '', span = 0}
    if due_in ~= '' then schedule(row, 'poll', now + tonumber(due_in)) end
    save(row, 'lane', 'fleet', 'want', 'done', 'state', 'class', 'span')
    reindex(lane)
    return
  end
  if row.lane ~= lane then
    local before, class, at = row.lane, row.class, due_of(row)
    unschedule(row)
    row.lane, row.class = lane, class
    if at then redis.call('ZADD', due_key(class, lane), at, member) end
    save(row, 'lane', 'class')
    reindex(before)
    reindex(lane)
  end
  if row.fleet ~= fleet then
    row.fleet = fleet
    save(row, 'fleet')
  end
end

function operations.expel(member)
  redis.call('ZREM', P .. 'members', member)
  local row = load(member)
  if not row then return end
  unschedule(row)
  redis.call('ZREM', inflight_key(row.slot), member)
  redis.call('DEL', member_key(member))
  reindex(row.lane)
  if row.slot ~= row.lane then reindex(row.slot) end
end

-- member, reason ("" = none), class, not_before ("" = now)
function operations.request(member, reason, class, not_before)
  local row = load(member)
  if not row then return 0 end
  row.want = row.want + 1
  row.asked = text(math.max(row.asked, not_before ~= '' and tonumber(not_before) or now))
  if reason ~= '' then row.reasons = joined(row.reasons, cjson.encode({reason})) end
  if row.state == 'idle' then
    hurry(row, class)
    save(row, 'want', 'asked', 'reasons', 'class', 'span')
    reindex(row.lane)
  else
    row.ask = more_urgent(row.ask, class)
    save(row, 'want', 'asked', 'reasons', 'ask')
  end
  return row.want
end

-- member, within
function operations.hasten(member, within)
  local row = load(member)
  if not row then return 0 end
  if row.state ~= 'idle' then
    row.want, row.ask = row.want + 1, more_urgent(row.ask, 'poll')
    save(row, 'want', 'ask')
    return 1
  end
  local at, latest = due_of(row), now + tonumber(within)
  if at and at <= latest then return 0 end
  schedule(row, row.class ~= '' and row.class or 'poll', latest)
  save(row, 'class', 'span')
  reindex(row.lane)
  return 1
end

-- member, at_least
function operations.raise(member, at_least)
  local row = load(member)
  if not row then return 0 end
  row.want = math.max(row.want, tonumber(at_least))
  if row.state == 'idle' and row.want > row.done then
    hurry(row, 'retry')
    save(row, 'class', 'span')
    reindex(row.lane)
  end
  save(row, 'want')
  return row.want
end

function operations.wanted(member)
  return tonumber(redis.call('HGET', member_key(member), 'want') or 0)
end

-- member, lease -> nil or {token, generation, reasons, not_before}
function operations.begin(member, lease)
  local row = load(member)
  if not row then return nil end
  local held_until = due_of(row)
  if row.state == 'running' and held_until and held_until > now then return nil end
  local last = tonumber(redis.call('GET', P .. 'fence') or 0)
  row.token = string.format('%.0f', math.max(last + 1, math.floor(now * 1000000)))
  redis.call('SET', P .. 'fence', row.token)
  -- An attempt that never finished leaves its reasons in `taken`.
  row.taken, row.reasons = joined(row.taken, row.reasons), ''
  row.state, row.rings, row.ask, row.since = 'running', 0, '', ''
  local expiry = now + tonumber(lease)
  schedule(row, row.class ~= '' and row.class or (is_poll(row) and 'poll' or 'retry'), expiry)
  take_slot(row, expiry)
  save(row, 'token', 'taken', 'reasons', 'state', 'rings', 'ask', 'class', 'span', 'slot', 'since')
  reindex(row.lane)
  return {row.token, row.want, row.taken, text(row.asked)}
end

local function holds(row, token) return row and row.state == 'running' and row.token == token end

-- member, token, lease
function operations.renew(member, token, lease)
  local row = load(member)
  if not holds(row, token) then return 0 end
  local expiry = now + tonumber(lease)
  schedule(row, row.class, expiry)
  take_slot(row, expiry)
  save(row, 'class', 'span', 'slot')
  reindex(row.lane)
  return 1
end

-- member, token, generation, done (0 or 1), due_in ("" = off the queue), whether the lane answered (0, 1, "" = unknown),
-- message
function operations.finish(member, token, generation, done, due_in, reachable, message)
  local row = load(member)
  if not holds(row, token) then return 0 end
  generation = tonumber(generation)
  local slot = row.slot
  redis.call('ZREM', inflight_key(slot), member)
  if done == '1' then
    row.done = math.max(row.done, generation)
  else
    row.reasons = joined(row.taken, row.reasons)
  end
  if row.want > generation then
    schedule(row, row.ask ~= '' and row.ask or 'retry', now)
  elseif due_in ~= '' then
    schedule(row, done == '1' and 'poll' or 'retry', now + tonumber(due_in))
  else
    unschedule(row)
  end
  row.state, row.token, row.slot, row.taken, row.ask = 'idle', '', '', '', ''
  save(row, 'done', 'state', 'token', 'slot', 'taken', 'reasons', 'ask', 'class', 'span')
  if reachable == '1' then answered(slot) end
  if reachable == '0' then unanswered(slot, message, member, '') end
  reindex(row.lane)
  if slot ~= row.lane then reindex(slot) end
  return 1
end

