/**
 * The steps that have to be atomic, as Lua scripts. KEYS[1] is the head of a shard (token, version, position, incarnation), KEYS[2] its
 * rows. Lists of values come in slices, because Lua unpacks a few thousand at most.
 */
import { hash } from 'node:crypto'

export interface Script {
  readonly text: string
  readonly sha1: string
}

function script(text: string): Script {
  return { text, sha1: hash('sha1', text) }
}

/**
 * Redis names its data anew whenever it may have lost acknowledged writes: at a start, and when a replica becomes the master. (Such a
 * name outlives nothing, so a script that does not find one ends with an error.)
 */
const INCARNATION = `
local incarnation = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
if not incarnation then return redis.error_reply('ERR INFO replication tells no master_replid') end
`
const FENCE = `
${INCARNATION}
local head = redis.call('HMGET', KEYS[1], 'token', 'version', 'incarnation')
if head[1] ~= ARGV[1] or (head[2] or '0') ~= ARGV[2] or head[3] ~= incarnation then return -1 end
`
const ADVANCE = `
redis.call('HSET', KEYS[1], 'position', ARGV[3])
return redis.call('HINCRBY', KEYS[1], 'version', 1)
`

/** KEYS head. ARGV token. Returns version, position and incarnation; the first two may be missing, and the position empty. */
export const CLAIM = script(`
${INCARNATION}
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'incarnation', incarnation)
return redis.call('HMGET', KEYS[1], 'version', 'position', 'incarnation')
`)

/** KEYS rows. ARGV cursor, pattern, number of rows. Returns the process that answered, the next cursor, and keys and values. */
export const SCAN = script(`
local page = redis.call('HSCAN', KEYS[1], ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3])
return { string.match(redis.call('INFO', 'server'), 'run_id:(%x+)'), page[1], page[2] }
`)

/** KEYS head, rows. ARGV token, version, position, number of keys to delete, those, then keys and values to put. Returns the new version, or -1: fenced. */
export const COMMIT = script(`
${FENCE}
local first_put = 5 + tonumber(ARGV[4])
for i = 5, first_put - 1, 4000 do
  redis.call('HDEL', KEYS[2], unpack(ARGV, i, math.min(i + 3999, first_put - 1)))
end
for i = first_put, #ARGV, 4000 do
  redis.call('HSET', KEYS[2], unpack(ARGV, i, math.min(i + 3999, #ARGV)))
end
${ADVANCE}
`)

/** KEYS list. ARGV its time to live in ms, then what to add. */
export const STAGE = script(`
redis.call('RPUSH', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 0
`)

/**
 * KEYS head, rows, list of keys to delete, list of keys and values to put. ARGV token, version, position, length of either
 * list. Returns the new version, or -1: fenced, or -2: a list is not what was staged.
 */
export const COMMIT_STAGED = script(`
${FENCE}
local deletes, puts = tonumber(ARGV[4]), tonumber(ARGV[5])
if redis.call('LLEN', KEYS[3]) ~= deletes or redis.call('LLEN', KEYS[4]) ~= puts then return -2 end
for i = 0, deletes - 1, 4000 do
  redis.call('HDEL', KEYS[2], unpack(redis.call('LRANGE', KEYS[3], i, i + 3999)))
end
for i = 0, puts - 1, 4000 do
  redis.call('HSET', KEYS[2], unpack(redis.call('LRANGE', KEYS[4], i, i + 3999)))
end
redis.call('UNLINK', KEYS[3], KEYS[4])
${ADVANCE}
`)
