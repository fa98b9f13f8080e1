import { strict as assert } from 'node:assert'
import { parseSecrets, maxSecrets, wipeSecrets } from '../../src/command/secrets.ts'

const hidden = 'hunter2'

describe('secrets of a command', () => {
  it('are copied as bytes: text as UTF-8, NUL and empty ones as they are', () => {
    const own = Uint8Array.of(0, 255)
    const secrets = parseSecrets({ text: 'é\0', bytes: own, '...': '', left: undefined })
    assert.deepEqual(
      secrets.map(({ name, bytes }) => [name, [...bytes]]),
      [
        ['text', [0xc3, 0xa9, 0]],
        ['bytes', [0, 255]],
        ['...', []],
      ],
    )
    wipeSecrets(secrets)
    assert.deepEqual([...own], [0, 255])
    assert.deepEqual(
      secrets.flatMap(({ bytes }) => [...bytes]),
      [0, 0, 0, 0, 0],
    )
    assert.deepEqual(parseSecrets(undefined), [])
  })

  for (const name of ['', '.', '..', 'a/b', '/', 'a\0b', 'a\nb', '\ud800', 'é'.repeat(128)])
    it(`the name ${JSON.stringify(name.slice(0, 8))} is refused`, () => {
      assert.throws(() => parseSecrets({ [name]: hidden }), {
        code: 'INVALID_ARGUMENT',
        message: /^command\.secrets: got ".*takes a file name of 1 to 255 bytes/s,
      })
    })

  const bad: Readonly<Record<string, readonly [value: unknown, message: RegExp]>> = {
    'a list': [[hidden], /^command\.secrets: got a object, takes an object/],
    'a text': [hidden, /^command\.secrets: got a string, takes an object/],
    'a number': [{ token: 5 }, /^command\.secrets\.token: got a number, takes bytes/],
    'another view': [{ token: new Uint16Array(2) }, /^command\.secrets\.token: got a object, takes bytes/],
    'half a character': [{ token: `${hidden}\ud800` }, /^command\.secrets\.token: got a string, takes bytes/],
    'one that is too large': [
      { token: new Uint8Array(maxSecrets.each + 1) },
      /^command\.secrets\.token: got 1048577 bytes, takes 1048576 at most/,
    ],
    'too much together': [
      Object.fromEntries([1, 2, 3, 4, 5].map(n => [`t${n}`, new Uint8Array(maxSecrets.each)])),
      /^command\.secrets: got 5242880 bytes together, takes 4194304 at most/,
    ],
    'too many': [
      Object.fromEntries(Array.from({ length: maxSecrets.count + 1 }, (_, n) => [`t${n}`, ''])),
      /^command\.secrets: got 257, takes 256 at most/,
    ],
  }
  for (const [what, [value, message]] of Object.entries(bad))
    it(`${what} is refused, and no value is part of the error`, () => {
      assert.throws(
        () => parseSecrets(value),
        (error: Error & { code: string }) => {
          assert.equal(error.code, 'INVALID_ARGUMENT')
          assert.match(error.message, message)
          assert.ok(!error.message.includes(hidden))
          return true
        },
      )
    })
})
