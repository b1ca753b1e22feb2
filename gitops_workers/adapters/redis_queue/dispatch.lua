-- The due queue's dispatch: what rings now, and the breaker that holds a cluster back.
-- The four files are one script, in the order queue.py names; keys: gitops_workers/redis_keys.py.
-- One call looks only at clusters that `ready` names, so its idle cost does not grow with their number.

local function ring(row, lease)
  row.rings = row.rings + 1
  local expiry = now + math.min(lease * 2 ^ (row.rings - 1), LONGEST_RING)
  row.state, row.token = 'queued', ''
  schedule(row, row.class, expiry)
  take_slot(row, expiry)
  save(row, 'rings', 'state', 'token', 'class', 'span', 'slot')
end

local function candidates(cluster, count)
  local found = {}
  for _, class in ipairs(CLASSES) do
    local due = redis.call('ZRANGEBYSCORE', due_key(class, cluster), '-inf', now, 'WITHSCORES', 'LIMIT', 0, count)
    for i = 1, #due, 2 do
      found[#found + 1] = {member = due[i], class = class, order = tonumber(due[i + 1]) - HEAD_START[class]}
    end
  end
  table.sort(found, function(a, b)
    if a.order ~= b.order then return a.order < b.order end
    return a.member < b.member
  end)
  return found
end

-- limit, lease -> flat list of member, fleet, generation
function operations.dispatch(limit, lease)
  limit, lease = tonumber(limit), tonumber(lease)
  local out, rung = {}, 0
  for _, cluster in ipairs(redis.call('ZRANGEBYSCORE', P .. 'ready', '-inf', now, 'LIMIT', 0, 1000)) do
    if rung >= limit then break end
    local free = math.min(slots - busy(cluster), limit - rung)
    local open, probe = breaker(cluster)
    if open then free = probe <= now and math.min(free, 1) or 0 end
    if free > 0 then
      for _, candidate in ipairs(candidates(cluster, free)) do
        if free == 0 then break end
        local row = load(candidate.member)
        if row and row.cluster == cluster and row.class == candidate.class then
          ring(row, lease)
          out[#out + 1], out[#out + 2], out[#out + 3] = row.member, row.fleet, row.want
          rung, free = rung + 1, free - 1
          if open then redis.call('HSET', P .. 'breaker:' .. cluster, 'probe', now + PROBE_SECONDS) end
        else
          -- Half of it was evicted or edited away: the sweep or the next enroll puts it back where it belongs.
          redis.call('ZREM', due_key(candidate.class, cluster), candidate.member)
        end
      end
    end
    -- After the first ZADD: a full Redis refuses that one and nothing has happened, while a script that has begun to
    -- write is let through, and what it pops could not be published.
    redis.call('ZREMRANGEBYSCORE', inflight_key(cluster), '-inf', now)
    reindex(cluster)
  end
  return out
end

-- cluster, reachable (0 or 1), message -> whether the breaker is open now
function operations.report(cluster, reachable, message)
  local open, probe, failures = breaker(cluster)
  local key = P .. 'breaker:' .. cluster
  if reachable == '1' then
    if failures == 0 then return 0 end
    redis.call('DEL', key)
    failures = 0
  else
    if not open then probe = now + PROBE_SECONDS end
    failures = failures + 1
    redis.call('HSET', key, 'failures', failures, 'probe', probe, 'message', message)
  end
  reindex(cluster)
  return failures >= BREAKER_FAILURES and 1 or 0
end

