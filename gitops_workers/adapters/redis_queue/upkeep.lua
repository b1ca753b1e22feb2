-- The due queue's upkeep: the sweep, the turns of `every`, the figures.
-- The five files are one script, in the order queue.py names; keys: gitops_workers/redis_keys.py.
-- Last of the files: it ends with the call.

-- Whether the member had to be put back. Off the queue with an unserved intent counts as lost.
local function heal(row)
  local at = due_of(row)
  if not at then
    if row.class == '' and row.want <= row.done and not is_poll(row) then return false end
    schedule(row, row.class ~= '' and row.class or 'retry', now)
    row.state, row.token = 'idle', ''
    save(row, 'class', 'span', 'state', 'token')
    return true
  end
  if at <= now + row.span + CLOCK_SLACK then return false end
  at = now + row.span
  schedule(row, row.class, at)
  if row.state ~= 'idle' then take_slot(row, at) end
  save(row, 'span', 'slot')
  return true
end

-- limit, age -> how many were put back
function operations.sweep(limit, age)
  limit, age = tonumber(limit), tonumber(age)
  local members = redis.call('ZRANGEBYSCORE', P .. 'members', '-inf', now - age, 'LIMIT', 0, limit)
  -- Looked at in the future: the clock went back.
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', P .. 'members', now + 1, '+inf', 'LIMIT', 0, limit)) do
    members[#members + 1] = member
  end
  local healed, lanes = 0, {}
  for _, member in ipairs(members) do
    local row = load(member)
    if row then
      redis.call('ZADD', P .. 'members', now, member)
      if heal(row) then healed = healed + 1 end
      lanes[row.lane] = true
    else
      redis.call('ZREM', P .. 'members', member)
    end
  end
  for lane in pairs(lanes) do reindex(lane) end
  return healed
end

-- name, seconds -> 1 for the one caller whose turn it is
function operations.every(name, seconds)
  local last = tonumber(redis.call('HGET', P .. 'every', name) or 0)
  if last <= now and now - last < tonumber(seconds) then return 0 end
  redis.call('HSET', P .. 'every', name, now)
  return 1
end

-- member... -> flat list of state and due time, "" where there is none
function operations.standings(...)
  local out = {}
  for _, member in ipairs({...}) do
    local row = load(member)
    local at = row and due_of(row)
    out[#out + 1] = row and row.state or ''
    out[#out + 1] = at and text(at) or ''
  end
  return out
end

local function waiting_since(member)
  local state, since = unpack(redis.call('HMGET', member_key(member), 'state', 'since'))
  return state == 'queued' and (tonumber(since or '') or now) or nil
end

-- lane... -> flat list of depth, in flight, lag. A doorbell that nobody has answered is waiting, not in work: without
-- workers a queue must not look empty. There are no more of them than slots.
function operations.loads(...)
  local out = {}
  for _, lane in ipairs({...}) do
    local depth, in_work, oldest = 0, 0, now
    for _, class in ipairs(CLASSES) do
      depth = depth + redis.call('ZCOUNT', due_key(class, lane), '-inf', now)
      local head = redis.call('ZRANGE', due_key(class, lane), 0, 0, 'WITHSCORES')
      if head[2] and tonumber(head[2]) <= now then
        oldest = math.min(oldest, tonumber(head[2]), waiting_since(head[1]) or now)
      end
    end
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', inflight_key(lane), string.format('(%.6f', now), '+inf')) do
      local since = waiting_since(member)
      if since then
        depth, oldest = depth + 1, math.min(oldest, since)
      else
        in_work = in_work + 1
      end
    end
    out[#out + 1] = depth
    out[#out + 1] = in_work
    out[#out + 1] = text(now - oldest)
  end
  return out
end

return operations[operation](unpack(ARGV, 4))
