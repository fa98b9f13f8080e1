import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { requireSanitized, sanitizedProgram } from '../support/sanitized.ts'

/** What the forwarder's parsers say of each of these, a line each. */
function check(frames: readonly Buffer[]): string[] {
  const input = frames.map(frame => {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(frame.length)
    return Buffer.concat([length, frame])
  })
  const { status, stdout, stderr } = spawnSync(sanitizedProgram, ['egress-check'], {
    input: Buffer.concat(input),
    encoding: 'latin1',
    maxBuffer: 256 << 20,
  })
  assert.equal(status, 0, stderr)
  return stdout.split('\n').slice(0, -1)
}

const frame = (kind: string, ...parts: readonly (string | Buffer | readonly number[])[]): Buffer =>
  Buffer.concat(
    [kind, ...parts].map(part =>
      typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part),
    ),
  )
const answerTo = (kind: string, ...parts: (string | Buffer | readonly number[])[]): string =>
  check([frame(kind, ...parts)])[0] ?? ''
const rule = (rules: string, host: string, port: number): string =>
  answerTo('u', `${rules}\0${host}\0${port}`)

describe("the forwarder's parsers (under sanitizers, where a byte read too far ends them)", function () {
  this.timeout(120_000)

  before(function () {
    requireSanitized(this)
  })

  describe('of requests', () => {
    const request = (text: string): string => answerTo('r', text)

    it('take CONNECT with a name, an address and IPv6 in brackets', () => {
      assert.equal(
        request('CONNECT Example.COM.:443 HTTP/1.1\r\nHost: x\r\n\r\n'),
        'ready example.com 443 46',
      )
      assert.equal(request('CONNECT 10.0.0.1:80 HTTP/1.0\r\n\r\n'), 'ready 10.0.0.1 80 32')
      assert.match(request('CONNECT [2001:db8::1]:8443 HTTP/1.1\r\n\r\n'), /^ready 2001:db8::1 8443 /)
    })

    it('refuse CONNECT without a port, with one that is none, and with a host that is none', () => {
      for (const target of [
        'example.com',
        'example.com:',
        'example.com:0',
        'example.com:65536',
        ':443',
        'a..b:443',
        'a@b:1',
        '[::1:443',
        '[example.com]:443',
      ])
        assert.equal(request(`CONNECT ${target} HTTP/1.1\r\n\r\n`), 'bad 400', target)
    })

    it('never take for a name what only an odd notation of an address is', () => {
      for (const host of ['2130706433', '0x7f.1', '127.1', '0177.0.0.1', '127.0.0.1.'])
        assert.notEqual(request(`CONNECT ${host}:80 HTTP/1.1\r\n\r\n`).split(' ')[0], 'ready', host)
    })

    it('send on a request by absolute URL with its own Host, without what is for a proxy, and for one connection', () => {
      const head =
        'GET http://example.com:8080/a?b HTTP/1.1\r\nHost: other\r\nProxy-Authorization: x\r\nconnection: keep-alive\r\nAccept: */*\r\n\r\n'
      assert.equal(
        request(head),
        `ready example.com 8080 ${head.length} GET /a?b HTTP/1.1\\x0d\\x0aHost: example.com:8080\\x0d\\x0aConnection: close\\x0d\\x0aAccept: */*\\x0d\\x0a\\x0d\\x0a`,
      )
      assert.match(
        request('GET http://example.com HTTP/1.1\r\n\r\n'),
        / GET \/ HTTP\/1\.1\\x0d\\x0aHost: example\.com\\x0d/,
      )
      assert.match(request('GET HTTP://example.com?q HTTP/1.1\r\n\r\n'), / GET \/\?q HTTP/)
    })

    it('refuse a request that names no host, another scheme, a password in the URL, and a NUL', () => {
      for (const target of [
        '/path',
        'https://example.com/',
        'ftp://example.com/',
        'http://',
        'http://a:b@example.com/',
      ])
        assert.equal(request(`GET ${target} HTTP/1.1\r\n\r\n`), 'bad 400', target)
      assert.equal(request('GET http://example.com/ HTTP/1.1\r\nA: \0\r\n\r\n'), 'bad 400')
      assert.equal(request('\x16\x03\x01 TLS\r\n\r\n'), 'bad 400')
    })

    it('wait for more until a head is whole, and refuse one that is too large', () => {
      assert.equal(request('CONNECT example.com:443 HTTP/1.1\r\n'), 'more')
      assert.equal(request(`GET http://a/ HTTP/1.1\r\n${'a'.repeat(16 << 10)}`), 'bad 431')
    })

    it('take SOCKS5 with names and both kinds of addresses, and refuse what is not CONNECT without a password', () => {
      assert.equal(answerTo('r', [5, 1, 0]), 'greeted')
      assert.equal(answerTo('r', [5, 1, 2]), 'bad 1')
      assert.equal(answerTo('r', [5, 3, 0]), 'more')
      const name = Buffer.from('example.com')
      assert.equal(answerTo('s', [5, 1, 0, 3, name.length], name, [1, 187]), 'ready example.com 443 18')
      assert.equal(answerTo('s', [5, 1, 0, 1, 10, 0, 0, 1, 0, 80]), 'ready 10.0.0.1 80 10')
      assert.match(answerTo('s', [5, 1, 0, 4, ...new Array(15).fill(0), 1, 0, 80]), /^ready ::1 80 22/)
      assert.equal(answerTo('s', [5, 2, 0, 1, 10, 0, 0, 1, 0, 80]), 'bad 7')
      assert.equal(answerTo('s', [5, 1, 0, 9, 10, 0, 0, 1, 0, 80]), 'bad 8')
      assert.equal(answerTo('s', [5, 1, 0, 3, 3, 97, 0, 98, 1, 187]), 'bad 1')
    })
  })

  describe('of rules', () => {
    it('compare a name as a whole, a suffix with its dot, and a port', () => {
      assert.equal(rule('name example.com 443\n', 'EXAMPLE.com.', 443), 'allowed')
      assert.equal(rule('name example.com 443\n', 'example.com', 80), 'denied')
      assert.equal(rule('name example.com 0\n', 'example.com', 81), 'allowed')
      assert.equal(rule('name example.com 443\n', 'www.example.com', 443), 'denied')
      assert.equal(rule('suffix .example.com 443\n', 'www.example.com', 443), 'allowed')
      assert.equal(rule('suffix .example.com 443\n', 'example.com', 443), 'denied')
      assert.equal(rule('suffix .example.com 443\n', 'evilexample.com', 443), 'denied')
    })

    it('compare addresses by their prefix, to the bit', () => {
      assert.equal(rule('prefix 10.0.0.0/9 80\n', '10.127.255.255', 80), 'allowed')
      assert.equal(rule('prefix 10.0.0.0/9 80\n', '10.128.0.0', 80), 'denied')
      assert.equal(rule('prefix 0.0.0.0/0 80\n', '1.2.3.4', 80), 'allowed')
      assert.equal(rule('prefix 0.0.0.0/0 80\n', '2001:db8::1', 80), 'denied')
      assert.equal(rule('prefix 2001:db8::/33 80\n', '2001:db8:7fff::1', 80), 'allowed')
      assert.equal(rule('prefix 2001:db8::/33 80\n', '2001:db8:8000::1', 80), 'denied')
      assert.equal(rule('prefix 127.0.0.1/32 80\n', '::ffff:127.0.0.1', 80), 'allowed')
    })

    it('take no line that is none', () => {
      for (const line of [
        'host a 1',
        'name a',
        'name a b',
        'name a 65536',
        'prefix a/1 1',
        'prefix 1.2.3.4/33 1',
        'suffix a.b 1',
        'name 1.2.3.4 1',
      ])
        assert.equal(rule(`${line}\n`, 'a', 1), 'bad', line)
    })
  })

  it('know private, local, reserved and translated addresses from public ones', () => {
    const hosts = (addresses: readonly string[]): string =>
      answerTo('h', addresses.map(address => `${address} example.com`).join('\n'))
    const kept = [
      '0.1.2.3',
      '10.1.1.1',
      '100.64.0.1',
      '127.0.0.1',
      '169.254.169.254',
      '172.31.0.1',
      '192.168.0.1',
      '198.19.0.1',
      '224.0.0.1',
      '255.255.255.255',
    ]
    const keptToo = [
      '::',
      '::1',
      'fe80::1',
      'fd00::1',
      'ff02::1',
      '64:ff9b::a9fe:a9fe',
      '2002:7f00:1::',
      '2001::1',
      '::ffff:10.0.0.1',
      '::7f00:1',
    ]
    for (const address of [...kept, ...keptToo]) assert.match(hosts([address]), / private$/, address)
    for (const address of ['1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '64:ff9b::101:101'])
      assert.doesNotMatch(hosts([address]), /private/, address)
  })

  it('read a hosts file: comments, several names, each address once', () => {
    const text =
      '# example.com\n1.1.1.1\tother Example.COM # x\n1.1.1.1 example.com.\n::1 localhost\nbad example.com\n2.2.2.2 example.com.org'
    assert.equal(answerTo('h', text), 'hosts 1.1.1.1')
  })

  it('read name servers, three at most, and take the own host where there is none', () => {
    const text =
      'search a\nnameserver 1.1.1.1\n nameserver\t2606:4700::1111 \nnameserver fe80::1%eth0\nnameserver 9.9.9.9\nnameserver 8.8.8.8\n'
    assert.equal(answerTo('n', text), 'servers 1.1.1.1 2606:4700::1111 9.9.9.9')
    assert.equal(answerTo('n', ''), 'servers 127.0.0.1 private')
  })

  describe('of answers to a question for example.com', () => {
    const question = [7, ...Buffer.from('EXAMPLE'), 3, ...Buffer.from('com'), 0, 0, 1, 0, 1]
    const header = (id: number, answers: number, flags = [0x81, 0x80]): number[] => [
      id >> 8,
      id & 255,
      ...flags,
      0,
      1,
      0,
      answers,
      0,
      0,
      0,
      0,
    ]
    const address = (...bytes: readonly number[]): number[] => [
      0xc0,
      12,
      0,
      1,
      0,
      1,
      0,
      0,
      0,
      60,
      0,
      bytes.length,
      ...bytes,
    ]
    const alias = [0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, 97, 0xc0, 20]

    it('take the addresses, behind an alias too', () => {
      assert.equal(answerTo('d', header(0x1234, 2), question, alias, address(1, 1, 1, 1)), 'answer 1.1.1.1')
    })

    it('take nothing from an answer to another question, by another number, or that is none', () => {
      const other = [7, ...Buffer.from('examplf'), 3, ...Buffer.from('com'), 0, 0, 1, 0, 1]
      assert.equal(answerTo('d', header(0x1235, 1), question, address(1, 1, 1, 1)), 'other')
      assert.equal(answerTo('d', header(0x1234, 1), other, address(1, 1, 1, 1)), 'other')
      assert.equal(answerTo('d', header(0x1234, 1, [1, 0]), question, address(1, 1, 1, 1)), 'other')
    })

    it('stop at what is cut short, and at a name that points to itself', () => {
      assert.equal(
        answerTo('d', header(0x1234, 2), question, address(1, 1, 1, 1), address(2, 2, 2, 2).slice(0, -1)),
        'answer 1.1.1.1',
      )
      assert.equal(answerTo('d', header(0x1234, 9), question, address(1, 1, 1, 1, 5)), 'answer')
      assert.equal(answerTo('d', header(0x1234, 1), question, [0xc0]), 'answer')
    })
  })

  it('stand any bytes: rubbish, and messages with bytes changed, cut or added', () => {
    const seeds = [
      frame('r', 'CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n'),
      frame('r', 'GET http://[::1]:8/a HTTP/1.1\r\nA: b\r\nHost: c\r\n\r\nbody'),
      frame('s', [5, 1, 0, 3, 3, 97, 98, 99, 1, 187]),
      frame('u', 'name a.b 1\nprefix ::/0 2\0host\x001'),
      frame('h', '1.1.1.1 example.com\n'),
      frame('n', 'nameserver 1.1.1.1\n'),
      frame(
        'd',
        [0x12, 0x34, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0, 7],
        'example',
        [3],
        'com',
        [0, 0, 1, 0, 1, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 1, 1, 1, 1],
      ),
    ]
    const mutated = fc
      .tuple(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
        fc.nat(),
      )
      .map(([seed, edits, cut]) => {
        const bytes = Buffer.from(seed)
        for (const [at, byte] of edits) bytes[1 + (at % (bytes.length - 1))] = byte
        return bytes.subarray(0, 1 + (cut % bytes.length))
      })
    const rubbish = fc
      .tuple(fc.constantFrom('r', 's', 'u', 'h', 'n', 'd'), fc.uint8Array({ maxLength: 300 }))
      .map(([kind, bytes]) => frame(kind, [...bytes]))
    fc.assert(
      fc.property(fc.array(fc.oneof(mutated, rubbish), { minLength: 100, maxLength: 100 }), frames => {
        assert.equal(check(frames).length, frames.length)
      }),
      { numRuns: process.env.CI ? 50 : 10 },
    )
  })
})
