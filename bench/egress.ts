import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Command, Supervisor as Supervising } from '../src/index.ts'
import { egressClient } from './egress-client.ts'
import { Supervisor } from './library.ts'
import { medianOf, ratios, type Summary, summary } from './statistics.ts'

const MiB = 1024 * 1024

const kinds = [
  { kind: 'one', name: 'one connection, 256 MiB', amount: 256 * MiB },
  { kind: 'turn', name: '200 connections, one after another', amount: 200 },
  { kind: 'many', name: '1,000 connections, all open at once', amount: 1000 },
] as const

export type EgressRow = {
  readonly name: string
  readonly directMs: Summary
  readonly throughMs: Summary
  /** Pairs of one turn. */
  readonly ratio: Summary
}

/**
 * What a network of named destinations costs those who use it: the same program in the same task, which asks
 * a server on loopback, through the forwarder of the task and in the network of the host. Root on Linux only.
 */
export async function measureEgress(
  stateRoot: string,
  { turns, rounds }: { readonly turns: number; readonly rounds: number },
  progress: (text: string) => void,
): Promise<EgressRow[]> {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return []
  const stateDir = mkdtempSync(join(stateRoot, 'holdfast-bench-egress-'))
  const supervisor = new Supervisor({ stateDir })
  const server = createServer({ noDelay: true }, serve)
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 })
  await once(server, 'listening')
  const port = (server.address() as AddressInfo).port
  const figures = kinds.map(({ name }) => ({ name, direct: [] as number[], through: [] as number[] }))
  try {
    // The first turn warms up.
    for (let turn = -1; turn < turns; turn++)
      for (const [index, { kind, amount }] of kinds.entries()) {
        progress(`egress: turn ${turn} of ${turns}, ${kind}`)
        const words = [kind, `${port}`, `${rounds}`, `${amount}`]
        const through = await client(supervisor, [...words, '3128'], { allow: [`127.0.0.1:${port}`] })
        const direct = await client(supervisor, words, 'host')
        if (turn < 0) continue
        figures[index]?.through.push(...through)
        figures[index]?.direct.push(...direct)
      }
    return figures.map(({ name, direct, through }) => ({
      name,
      directMs: summary(direct),
      throughMs: summary(through),
      ratio: medianOf(ratios(through, direct)),
    }))
  } finally {
    await supervisor.close()
    await closed(server)
    rmSync(stateDir, { recursive: true, force: true })
  }
}

const block = Buffer.alloc(MiB)

/** A line with a number is answered with so many bytes. */
function serve(socket: Socket): void {
  let line = ''
  socket.on('error', () => {})
  socket.on('data', (data: Buffer) => {
    line += data.toString('latin1')
    if (!line.endsWith('\n')) return
    const bytes = Number(line)
    line = ''
    give(socket, bytes)
  })
}

function give(socket: Socket, bytes: number): void {
  for (let left = bytes; left > 0; left -= block.length)
    if (!socket.write(block.subarray(0, left)) && left > block.length) {
      socket.once('drain', () => {
        give(socket, left - block.length)
      })
      return
    }
}

async function client(
  supervisor: Supervising,
  words: readonly string[],
  network: NonNullable<Command['network']>,
): Promise<number[]> {
  const result = await supervisor.run(process.execPath, ['-e', egressClient, ...words], {
    network,
    limits: { rlimits: { nofile: [4096, 4096] } },
  })
  if (!result.successful) throw new Error(`${words.join(' ')}: ${result.stderr}`)
  return JSON.parse(result.stdout) as number[]
}

async function closed(server: Server): Promise<void> {
  server.close()
  await once(server, 'close')
}
