// Start to exit known, the same isolated task by root and by an ordinary user, round by round: `sudo npx tsx
// bench/rootless.ts [ROUNDS]`.
import { tmpdir } from 'node:os'
import { ordinaryUid, Side } from './sides.ts'
import { median, ratios, summary } from './statistics.ts'

const perRound = 50
const rounds = Number(process.argv[2] ?? 20)

if (process.geteuid?.() !== 0)
  throw new Error('it compares root with an ordinary user, and so needs root (sudo)')
const [asRoot, asUser] = [new Side(0, tmpdir()), new Side(ordinaryUid, tmpdir())]
const figures = { root: [] as number[], user: [] as number[] }
try {
  // The first start of each also starts a spawner and looks at the host.
  for (const side of [asRoot, asUser]) await side.startToExit(10)
  for (let round = 0; round < rounds; round++) {
    figures.root.push(median(await asRoot.startToExit(perRound)))
    figures.user.push(median(await asUser.startToExit(perRound)))
  }
  const show = (values: number[]) => JSON.stringify(summary(values))
  console.log(
    `root     ms ${show(figures.root)}\nrootless ms ${show(figures.user)}\nratio       ${show(ratios(figures.user, figures.root))}`,
  )
} finally {
  for (const side of [asRoot, asUser]) await side.close()
}
