-- The due queue's dispatch: what rings now.
-- The five files are one script, in the order queue.py names; keys: gitops_workers/redis_keys.py.
-- One call looks only at lanes that `ready` names, so its idle cost does not grow with their number.

local function ring(row, lease)
  -- Its due time becomes the end of a lease; how long it has waited is told by when it first became due.
  if row.since == '' then row.since = text(math.min(due_of(row) or now, now)) end
  row.rings = row.rings + 1
  local expiry = now + math.min(lease * 2 ^ (row.rings - 1), LONGEST_RING)
  row.state, row.token = 'queued', ''
  schedule(row, row.class, expiry)
  take_slot(row, expiry)
  save(row, 'rings', 'state', 'token', 'class', 'span', 'slot', 'since')
end

local function candidates(lane, count)
  local found = {}
  for _, class in ipairs(CLASSES) do
    local due = redis.call('ZRANGEBYSCORE', due_key(class, lane), '-inf', now, 'WITHSCORES', 'LIMIT', 0, count)
    for i = 1, #due, 2 do
      local at = tonumber(due[i + 1])
      found[#found + 1] = {member = due[i], class = class, at = at, order = at - HEAD_START[class]}
    end
  end
  table.sort(found, function(a, b)
    if a.order ~= b.order then return a.order < b.order end
    return a.member < b.member
  end)
  return found
end

-- Who finds out whether the lane answers: the member that is meant for it, else whoever has waited longest, so that it is
-- not the same one every time.
local function probes(lane, prober)
  local row = prober ~= '' and load(prober)
  local at = row and row.lane == lane and due_of(row)
  if at and at <= now then return {{member = prober, class = row.class}} end
  local found = candidates(lane, 1)
  table.sort(found, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    return a.member < b.member
  end)
  return found
end

-- limit, lease -> flat list of member, fleet, generation
function operations.dispatch(limit, lease)
  limit, lease = tonumber(limit), tonumber(lease)
  local out, rung = {}, 0
  for _, lane in ipairs(redis.call('ZRANGEBYSCORE', P .. 'ready', '-inf', now, 'LIMIT', 0, 1000)) do
    if rung >= limit then break end
    local free, probing, _, known = room(lane)
    free = math.min(free, limit - rung)
    if free > 0 then
      for _, candidate in ipairs(probing and probes(lane, known.prober) or candidates(lane, free)) do
        if free == 0 then break end
        local row = load(candidate.member)
        if row and row.lane == lane and row.class == candidate.class then
          ring(row, lease)
          out[#out + 1], out[#out + 2], out[#out + 3] = row.member, row.fleet, row.want
          rung, free = rung + 1, free - 1
          if probing then probe_is_out(lane, known, row.member) end
        else
          -- Half of it was evicted or edited away: the sweep or the next enroll puts it back where it belongs.
          redis.call('ZREM', due_key(candidate.class, lane), candidate.member)
        end
      end
    end
    -- After the first ZADD: a full Redis refuses that one and nothing has happened, while a script that has begun to
    -- write is let through, and what it pops could not be published.
    redis.call('ZREMRANGEBYSCORE', inflight_key(lane), '-inf', now)
    reindex(lane)
  end
  return out
end

