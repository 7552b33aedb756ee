-- Return a task to the front of its queue, and take the first task of some queues that the worker can do.
-- The order of the queues stays, and with it the fairness among owners. A task without a `needs` field can be done by
-- any worker. Returns {queue, id} of the task that was taken, or false if there is none.
--
-- KEYS     the lists of the queues, in the order of the search; the task returns to the first one
-- ARGV[1]  id of the task that returns
-- ARGV[2]  prefix of the keys of the tasks' hashes
-- ARGV[3]  number of tasks that are searched in each queue
-- ARGV[4+] values of `needs` that the worker offers
local task, prefix, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
local offered = {[''] = true}
for index = 4, #ARGV do
    offered[ARGV[index]] = true
end
redis.call('LPUSH', KEYS[1], task)
for _, queue in ipairs(KEYS) do
    for _, id in ipairs(redis.call('LRANGE', queue, 0, most - 1)) do
        -- pcall, because a key of this name may hold something else than a hash
        local needs = redis.pcall('HGET', prefix .. id, 'needs')
        if id ~= task and (type(needs) ~= 'string' or offered[needs]) then
            redis.call('LREM', queue, 1, id)
            return {queue, id}
        end
    end
end
return false
