// Start to exit known, the same isolated task by root and by an ordinary user, round by round: `sudo npx tsx
// bench/rootless.ts [ROUNDS]`.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ratios, summary } from './statistics.ts'

const uid = 64_908
const perRound = 50
const rounds = Number(process.argv[2] ?? 20)

if (process.geteuid?.() !== 0)
  throw new Error('it compares root with an ordinary user, and so needs root (sudo)')
const [asRoot, asUser] = [side(0), side(uid)]
const figures = { root: [] as number[], user: [] as number[] }
try {
  // The first start of each also starts a spawner and looks at the host.
  for (const one of [asRoot, asUser]) await medianOf(one.child, 10)
  for (let round = 0; round < rounds; round++) {
    figures.root.push(await medianOf(asRoot.child, perRound))
    figures.user.push(await medianOf(asUser.child, perRound))
  }
  const show = (values: number[]) => JSON.stringify(summary(values))
  console.log(
    `root     ms ${show(figures.root)}\nrootless ms ${show(figures.user)}\nratio       ${show(ratios(figures.user, figures.root))}`,
  )
} finally {
  for (const { child, directory } of [asRoot, asUser]) {
    child.disconnect()
    await once(child, 'exit')
    rmSync(directory, { recursive: true, force: true })
  }
}

function side(owner: number): { child: ChildProcess; directory: string } {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
  chownSync(directory, owner, owner)
  const program = fileURLToPath(new URL('rootless-child.ts', import.meta.url))
  const options = {
    uid: owner,
    gid: owner,
    execArgv: ['--import', 'tsx'],
    env: { PATH: process.env.PATH, TMPDIR: directory },
  }
  return { child: fork(program, [directory], options), directory }
}

async function medianOf(child: ChildProcess, count: number): Promise<number> {
  child.send(count)
  const [milliseconds] = (await once(child, 'message')) as [number[]]
  return milliseconds.sort((one, other) => one - other)[milliseconds.length >> 1] ?? Number.NaN
}
