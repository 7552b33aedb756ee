-- Give the last task of a queue its start tag, and move it to its place in the order of tags.
-- The tag is one more than that of its owner's last task, but at least the tag of the queue's first task.
--
-- KEYS[1]  list of the queue, whose other tasks are sorted by tag
-- KEYS[2]  hash of owner to the tag of their last task in this queue
-- ARGV[1]  prefix of the keys of the tasks' hashes, which have the fields `owner` and `turn` (the tag)
local queue, tags, prefix = KEYS[1], KEYS[2], ARGV[1]
local function field(id, name)
    -- pcall, because a key of this name may hold something else than a hash
    local value = redis.pcall('HGET', prefix .. id, name)
    return type(value) == 'string' and value
end
local function tag_at(index)
    return tonumber(field(redis.call('LINDEX', queue, index), 'turn') or 0)
end
local task = redis.call('RPOP', queue)
local owner, waiting = field(task, 'owner') or '', redis.call('LLEN', queue)
-- In an empty queue all owners start again, so that none is owed anything.
if waiting == 0 then
    redis.call('DEL', tags)
end
local tag = 1 + (redis.call('HGET', tags, owner) or 0)
if waiting > 0 then
    tag = math.max(tag, tag_at(0))
end
redis.call('HSET', tags, owner, tag)
redis.call('HSET', prefix .. task, 'turn', tag)
-- Binary search for the first task with a larger tag. Tasks of equal tags stay in the order of their arrival.
local from, to = 0, waiting
while from < to do
    local middle = math.floor((from + to) / 2)
    if tag_at(middle) > tag then
        to = middle
    else
        from = middle + 1
    end
end
if from == waiting then
    redis.call('RPUSH', queue, task)
else
    redis.call('LINSERT', queue, 'BEFORE', redis.call('LINDEX', queue, from), task)
end
