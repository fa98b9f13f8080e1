import assert from 'node:assert/strict'
import { checkLogOptions, checkStream, parseShutdownOptions } from '../../src/task/call-options.ts'

const defaults = { signal: 'SIGTERM', graceMs: 5000, target: 'group' } as const

describe('options of calls', () => {
  it('takes the defaults for what shutdown() was not given', () => {
    assert.deepEqual(parseShutdownOptions({}, defaults), defaults)
    assert.deepEqual(parseShutdownOptions({ graceMs: 0 }, defaults), { ...defaults, graceMs: 0 })
    assert.deepEqual(parseShutdownOptions({ signal: 'SIGINT' }, defaults), {
      ...defaults,
      signal: 'SIGINT',
    })
    assert.deepEqual(parseShutdownOptions({ target: 'leader' }, defaults), { ...defaults, target: 'leader' })
  })

  const badStops = [null, 'SIGINT', 5, [], { grace: 1 }, { signal: 'TERM' }, { signal: 15 }, { graceMs: -1 }]
  for (const options of [...badStops, { graceMs: '5' }, { target: 'tree' }, { graceMs: Number.NaN }]) {
    it(`refuses shutdown(${JSON.stringify(options)}), naming what it got and what it takes`, () => {
      assert.throws(() => parseShutdownOptions(options as never, defaults), {
        code: 'INVALID_ARGUMENT',
        message: /: got .*, takes /,
      })
    })
  }

  it('takes what logs$ offers', () => {
    checkLogOptions('logs$', {})
    checkLogOptions('logs$', { follow: true, fromStart: false, tail: 0 })
  })

  for (const [stream, options] of [
    ['foo', {}],
    [undefined, {}],
    ['stdout', null],
    ['stdout', { tail: -1 }],
    ['stdout', { tail: 1.5 }],
    ['stdout', { tail: 'x' }],
    ['stdout', { followed: true }],
  ] as const) {
    it(`refuses logs$(${JSON.stringify(stream)}, ${JSON.stringify(options)})`, () => {
      assert.throws(() => (checkStream('logs$', stream), checkLogOptions('logs$', options as never)), {
        code: 'INVALID_ARGUMENT',
        message: /: got .*, takes /,
      })
    })
  }
})
