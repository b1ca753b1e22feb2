-- The due queue's ground: the clock, member rows, due times, lanes and their slots.
-- The five files are one script, in the order queue.py names; keys: gitops_workers/redis_keys.py.
-- ARGV: operation, slots per cluster, slots per Git host, then the operation's own arguments. Redis TIME is the only
-- clock.
local P = 'gitops:'
local CLASSES = {'webhook', 'manual', 'self-heal', 'retry', 'poll'}
-- Seconds by which a class goes before what became due at the same moment. Not absolute: a poll that has waited 40 minutes
-- goes before a fresh push, so that a tenant who pushes all day cannot stop everybody else's drift detection.
local HEAD_START = {webhook = 2400, manual = 1800, ['self-heal'] = 1200, retry = 600, poll = 0}
-- How the lanes of Git hosts begin (core/scheduling/lanes.py); any other lane is admitted like a cluster.
local HOST_LANE = '//'
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
local operation, slots, host_slots = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local function member_key(member) return P .. 'member:' .. member end
local function due_key(class, lane) return P .. 'due:' .. class .. ':' .. lane end
local function inflight_key(lane) return P .. 'inflight:' .. lane end

local FIELDS = {'lane', 'fleet', 'want', 'done', 'state', 'class', 'span', 'ask', 'asked', 'token', 'rings', 'slot',
  'reasons', 'taken', 'since'}

local function load(member)
  local values = redis.call('HMGET', member_key(member), unpack(FIELDS))
  -- Rows that were written before there were lanes say the same under another name.
  values[1] = values[1] or redis.call('HGET', member_key(member), 'cluster')
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
  return tonumber(redis.call('ZSCORE', due_key(row.class, row.lane), row.member) or nil)
end

local function unschedule(row)
  if row.class ~= '' then redis.call('ZREM', due_key(row.class, row.lane), row.member) end
  row.class = ''
end

local function schedule(row, class, at)
  if row.class ~= class then unschedule(row) end
  row.class, row.span = class, math.max(0, at - now)
  redis.call('ZADD', due_key(class, row.lane), at, row.member)
end

local function take_slot(row, expiry)
  if row.slot ~= row.lane then redis.call('ZREM', inflight_key(row.slot), row.member) end
  row.slot = row.lane
  redis.call('ZADD', inflight_key(row.slot), expiry, row.member)
end

local function slots_of(lane) return string.sub(lane, 1, #HOST_LANE) == HOST_LANE and host_slots or slots end

local function busy(lane)
  return redis.call('ZCOUNT', inflight_key(lane), string.format('(%.6f', now), '+inf')
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
