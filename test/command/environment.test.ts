import assert from 'node:assert/strict'
import fc from 'fast-check'
import { taskEnvironment } from '../../src/command/environment.ts'
import { defaultPath } from '../../src/default-path.ts'

const directories = { allocDir: '/alloc', taskDir: '/local', userName: 'alice' }
const defaults = { PATH: defaultPath, HOME: '/local', USER: 'alice', LOGNAME: 'alice' }
const added = {
  NOMAD_ALLOC_DIR: '/alloc',
  NOMAD_TASK_DIR: '/local',
  HOLDFAST_ALLOC_DIR: '/alloc',
  HOLDFAST_TASK_DIR: '/local',
}

describe('taskEnvironment', () => {
  it('gives an empty environment the directories, the defaults PATH, a home and its user’s name, and nothing of ours', () => {
    assert.deepEqual(taskEnvironment({}, directories), { ...defaults, ...added })
    assert.equal(defaultPath, '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
  })

  it('keeps a PATH of its own, even an empty one', () => {
    assert.equal(taskEnvironment({ PATH: '/opt' }, directories).PATH, '/opt')
    assert.equal(taskEnvironment({ PATH: '' }, directories).PATH, '')
  })

  it('keeps a HOME, USER and LOGNAME of its own, even empty ones', () => {
    const own = { HOME: '/data', USER: '', LOGNAME: 'service' }
    const { HOME, USER, LOGNAME } = taskEnvironment(own, directories)
    assert.deepEqual({ HOME, USER, LOGNAME }, own)
  })

  it('does not believe the command about where the directories are', () => {
    assert.equal(taskEnvironment({ NOMAD_TASK_DIR: '/etc' }, directories).NOMAD_TASK_DIR, '/local')
  })

  it('keeps every other variable and leaves its argument alone', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), env => {
        const before = { ...env }
        const result = taskEnvironment(Object.freeze(env), directories)
        assert.deepEqual({ ...result }, { ...defaults, ...before, ...added })
      }),
    )
  })

  it('keeps a variable called __proto__', () => {
    const env = JSON.parse('{"__proto__":"x"}') as Record<string, string>
    assert.deepEqual(
      Object.entries(taskEnvironment(env, directories)).filter(([name]) => name === '__proto__'),
      [['__proto__', 'x']],
    )
  })
})
