-- The due queue's breakers: how much a lane is given that does not answer, or has just begun to answer again.
-- The five files are one script, in the order queue.py names; keys: gitops_workers/redis_keys.py.
-- A lane without a record is given all its slots. After so many failures in a row it is given none but a probe, and
-- after the probe's success twice as many with every further one, until that is all.
local FAILURES = 3
-- Seconds until the first probe, and how they grow with each that fails: a short outage must not cost a minute, a long one no more
-- than a request a minute.
local FIRST_PAUSE, GROWTH, LONGEST_PAUSE = 10, 2, 60

local function breaker_key(lane) return P .. 'breaker:' .. lane end

local function breaker(lane)
  local values = redis.call('HMGET', breaker_key(lane), 'failures', 'allowed', 'probe', 'pause', 'prober', 'out', 'last')
  return {
    failures = tonumber(values[1] or 0),
    allowed = tonumber(values[2] or nil),
    probe = math.min(tonumber(values[3] or 0), now + LONGEST_PAUSE),
    pause = tonumber(values[4] or FIRST_PAUSE),
    prober = values[5] or '',
    out = values[6] or '',
    last = values[7] or '',
  }
end

local function first_lease_to_end(lane)
  local first = redis.call('ZRANGEBYSCORE', inflight_key(lane), string.format('(%.6f', now), '+inf', 'WITHSCORES',
    'LIMIT', 0, 1)
  return tonumber(first[2] or now)
end

-- How many of the lane may be rung now, whether that one is a probe, and if none: from when on there could be one.
local function room(lane)
  local known, limit, used = breaker(lane), slots_of(lane), busy(lane)
  if not known.allowed then
    if used < limit then return limit - used, false, now, known end
    return 0, false, first_lease_to_end(lane), known
  end
  -- One probe at a time, and it is let through besides those that are counted.
  local out = known.out ~= '' and tonumber(redis.call('ZSCORE', inflight_key(lane), known.out) or nil)
  local probing = out and out > now
  if probing then used = used - 1 end
  local free = math.min(limit, known.allowed) - used
  if free > 0 then return free, false, now, known end
  if not probing and known.probe <= now then return 1, true, now, known end
  local later = probing and math.max(known.probe, out) or known.probe
  return 0, false, known.allowed > 0 and math.min(later, first_lease_to_end(lane)) or later, known
end

-- Keeps `ready` true for one lane: the earliest moment at which a dispatch could take something from it.
local function reindex(lane)
  local earliest
  for _, class in ipairs(CLASSES) do
    local head = redis.call('ZRANGE', due_key(class, lane), 0, 0, 'WITHSCORES')
    if head[2] and (not earliest or tonumber(head[2]) < earliest) then earliest = tonumber(head[2]) end
  end
  if not earliest then
    redis.call('ZREM', P .. 'ready', lane)
    return
  end
  local free, _, from = room(lane)
  if free < 1 then earliest = math.max(earliest, from) end
  redis.call('ZADD', P .. 'ready', earliest, lane)
end

local function probe_is_out(lane, known, member)
  local pause = math.min(GROWTH * known.pause, LONGEST_PAUSE)
  redis.call('HSET', breaker_key(lane), 'out', member, 'pause', pause, 'probe', now + pause)
end

local function answered(lane)
  local known = breaker(lane)
  if known.failures == 0 and not known.allowed then return end
  local allowed = known.allowed and math.max(2, 2 * known.allowed)
  if not allowed or allowed >= slots_of(lane) then
    redis.call('DEL', breaker_key(lane))
  else
    redis.call('HSET', breaker_key(lane), 'failures', 0, 'allowed', allowed, 'last', '', 'pause', FIRST_PAUSE, 'probe',
      now + FIRST_PAUSE)
  end
end

-- member ("" = anybody): who failed. One that fails again and again says nothing of the others in its lane.
-- prober ("" = none): the member that asks first whether the lane answers. Returns whether the breaker is open.
local function unanswered(lane, message, member, prober)
  local known, key = breaker(lane), breaker_key(lane)
  local again = member ~= '' and member == known.last
  local failures = known.failures + (again and 0 or 1)
  redis.call('HSET', key, 'failures', failures, 'last', member, 'message', message)
  if prober ~= '' then redis.call('HSET', key, 'prober', prober) end
  local open = failures >= FAILURES
  if open and known.allowed ~= 0 then
    redis.call('HSET', key, 'allowed', 0, 'pause', FIRST_PAUSE, 'probe', now + FIRST_PAUSE)
  elseif known.allowed and not open then
    redis.call('HSET', key, 'allowed', 1)
  end
  return open
end

-- lane, answered (0 or 1), message, prober ("" = none) -> whether the breaker is open now
function operations.report(lane, reachable, message, prober)
  local open = false
  if reachable == '1' then answered(lane) else open = unanswered(lane, message, '', prober) end
  reindex(lane)
  return open and 1 or 0
end

