/**
 * What is run in a task, by `node -e`: asks a server for bytes, by the forwarder of the task or without one,
 * and prints the milliseconds that each of so many rounds took.
 *
 *     one PORT ROUNDS BYTES [DOOR]    one connection that gives so many bytes
 *     turn PORT ROUNDS COUNT [DOOR]   so many connections one after another, each for one byte
 *     many PORT ROUNDS COUNT [DOOR]   so many at once: all are open before the first is closed
 *
 * DOOR: the port of the forwarder.
 */
export const egressClient = String.raw`
const net = require('node:net')
const [, kind, port, rounds, amount, door] = process.argv
const host = '127.0.0.1'

function open(bytes) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port: Number(door ?? port), noDelay: true })
    let left = bytes, head = door === undefined ? null : ''
    const ask = () => socket.write(bytes + '\n')
    socket.once('error', reject)
    socket.once('close', () => left > 0 && reject(new Error('closed before its end: ' + head)))
    socket.once('connect', () => head === null ? ask() : socket.write('CONNECT ' + host + ':' + port + ' HTTP/1.1\r\n\r\n'))
    socket.on('data', data => {
      if (head === null) left -= data.length
      else {
        head += data.toString('latin1')
        if (!head.endsWith('\r\n\r\n')) return
        if (!/^HTTP\/1\.[01] 200 /.test(head)) return reject(new Error(head))
        head = null
        ask()
      }
      if (left <= 0) resolve(socket)
    })
  })
}

const kinds = {
  one: async () => (await open(Number(amount))).destroy(),
  turn: async () => {
    for (let i = 0; i < Number(amount); i++) (await open(1)).destroy()
  },
  many: async () => {
    const sockets = await Promise.all(Array.from({ length: Number(amount) }, () => open(1)))
    for (const socket of sockets) socket.destroy()
  },
}

;(async () => {
  const took = []
  for (let round = 0; round < Number(rounds); round++) {
    const began = performance.now()
    await kinds[kind]()
    took.push(performance.now() - began)
    // What was closed is gone at the other end, too.
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  console.log(JSON.stringify(took))
})()
`
