-- The due queue's ground: the clock, member rows, due times, slots, the breaker.
-- The four files are one script, in the order queue.py names; keys: gitops_workers/redis_keys.py.
-- ARGV: operation, slots per cluster, then the operation's own arguments. Redis TIME is the only clock.
local P = 'gitops:'
local CLASSES = {'webhook', 'manual', 'self-heal', 'retry', 'poll'}
-- Seconds by which a class goes before what became due at the same moment. Not absolute: a poll that has waited 40 minutes
-- goes before a fresh push, so that a tenant who pushes all day cannot stop everybody else's drift detection.
local HEAD_START = {webhook = 2400, manual = 1800, ['self-heal'] = 1200, retry = 600, poll = 0}
local BREAKER_FAILURES, PROBE_SECONDS = 3, 60
-- A doorbell nobody answers is repeated ever more slowly: without workers the broker must not fill up.
local LONGEST_RING = 600
local REASONS = 8
-- A due time later than it was ever scheduled means that the clock went back; this much is rounding.
local CLOCK_SLACK = 5

local function clock()
  local time = redis.call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end

local now = clock()
local operation, slots = ARGV[1], tonumber(ARGV[2])

local function member_key(member) return P .. 'member:' .. member end
local function due_key(class, cluster) return P .. 'due:' .. class .. ':' .. cluster end
local function inflight_key(cluster) return P .. 'inflight:' .. cluster end

local FIELDS = {'cluster', 'fleet', 'want', 'done', 'state', 'class', 'span', 'ask', 'asked', 'token', 'rings', 'slot',
  'reasons', 'taken'}

local function load(member)
  local values = redis.call('HMGET', member_key(member), unpack(FIELDS))
  if not values[1] then return nil end
  local row = {member = member}
  for i, field in ipairs(FIELDS) do row[field] = values[i] or '' end
  row.want, row.done = tonumber(row.want) or 0, tonumber(row.done) or 0
  row.span, row.asked, row.rings = tonumber(row.span) or 0, tonumber(row.asked) or 0, tonumber(row.rings) or 0
  return row
end

local function save(row, ...)
  local pairs_ = {}
  for _, field in ipairs({...}) do
    pairs_[#pairs_ + 1] = field
    pairs_[#pairs_ + 1] = row[field]
  end
  redis.call('HSET', member_key(row.member), unpack(pairs_))
end

local function due_of(row)
  if row.class == '' then return nil end
  return tonumber(redis.call('ZSCORE', due_key(row.class, row.cluster), row.member) or nil)
end

local function unschedule(row)
  if row.class ~= '' then redis.call('ZREM', due_key(row.class, row.cluster), row.member) end
  row.class = ''
end

local function schedule(row, class, at)
  if row.class ~= class then unschedule(row) end
  row.class, row.span = class, math.max(0, at - now)
  redis.call('ZADD', due_key(class, row.cluster), at, row.member)
end

local function take_slot(row, expiry)
  if row.slot ~= '' and row.slot ~= row.cluster then redis.call('ZREM', inflight_key(row.slot), row.member) end
  row.slot = row.cluster
  redis.call('ZADD', inflight_key(row.slot), expiry, row.member)
end

local function breaker(cluster)
  local values = redis.call('HMGET', P .. 'breaker:' .. cluster, 'failures', 'probe')
  local failures, probe = tonumber(values[1] or 0), tonumber(values[2] or 0)
  return failures >= BREAKER_FAILURES, math.min(probe, now + PROBE_SECONDS), failures
end

local function busy(cluster)
  return redis.call('ZCOUNT', inflight_key(cluster), string.format('(%.6f', now), '+inf')
end

-- Keeps `ready` true for one cluster: the earliest moment at which a dispatch could take something from it.
local function reindex(cluster)
  local earliest
  for _, class in ipairs(CLASSES) do
    local head = redis.call('ZRANGE', due_key(class, cluster), 0, 0, 'WITHSCORES')
    if head[2] and (not earliest or tonumber(head[2]) < earliest) then earliest = tonumber(head[2]) end
  end
  if not earliest then
    redis.call('ZREM', P .. 'ready', cluster)
    return
  end
  local open, probe = breaker(cluster)
  if open then earliest = math.max(earliest, probe) end
  if busy(cluster) >= slots then
    local first = redis.call('ZRANGEBYSCORE', inflight_key(cluster), string.format('(%.6f', now), '+inf', 'WITHSCORES',
      'LIMIT', 0, 1)
    earliest = math.max(earliest, tonumber(first[2] or now))
  end
  redis.call('ZADD', P .. 'ready', earliest, cluster)
end

local function more_urgent(one, other)
  if one == '' then return other end
  if other == '' or HEAD_START[one] >= HEAD_START[other] then return one end
  return other
end

-- JSON lists of text; the newest REASONS of both, each once.
local function joined(older, newer)
  local list, seen = {}, {}
  for _, text in ipairs({older, newer}) do
    if text ~= '' then
      for _, reason in ipairs(cjson.decode(text)) do
        if not seen[reason] then
          seen[reason] = true
          list[#list + 1] = reason
        end
      end
    end
  end
  while #list > REASONS do table.remove(list, 1) end
  return #list > 0 and cjson.encode(list) or ''
end

local function is_poll(row) return string.sub(row.member, 1, 2) == 'p:' end

-- Due at once, unless it is due already and at least as urgently; the earlier time stays, for an honest lag.
local function hurry(row, class)
  local at = due_of(row)
  if at and at <= now then
    class = more_urgent(row.class, class)
  else
    at = now
  end
  schedule(row, class, at)
end

local function text(number) return string.format('%.6f', number) end

local operations = {}
