import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ratios, type Summary, summary } from './statistics.ts'

export type LoadRow = {
  readonly name: string
  readonly ms: Summary
  /** To `node -e 0`, each pair from the same round. */
  readonly ratio: Summary
  /** Of JavaScript, as V8 tells them. */
  readonly files: number
}

type Program = { readonly name: string; readonly cwd: string; readonly args: readonly string[] }

/**
 * What a program pays for the library before it does anything, as the time of a whole process. `baseline`:
 * the folder of an earlier holdfast, built, which is measured in the same rounds.
 */
export function measureLoad(baseline: string | undefined, rounds: number): LoadRow[] {
  const here = fileURLToPath(new URL('..', import.meta.url))
  const state = mkdtempSync(join(tmpdir(), 'holdfast-bench-load-'))
  const of = (cwd: string, which: string): Program[] => [
    { name: `import 'holdfast'${which}`, cwd, args: ['--input-type=module', '-e', "import 'holdfast'"] },
    {
      name: `holdfast ps${which}`,
      cwd,
      args: [join(cwd, 'dist/src/cli/main.js'), '--state-dir', state, 'ps'],
    },
  ]
  const programs: Program[] = [
    { name: 'node -e 0', cwd: here, args: ['-e', '0'] },
    ...of(here, ''),
    ...(baseline === undefined ? [] : of(baseline, ' before')),
  ]
  try {
    const times = programs.map((): number[] => [])
    for (let round = -1; round < rounds; round++)
      for (const [index, program] of programs.entries()) {
        const took = timeOf(program)
        // The first round warms the file cache.
        if (round >= 0) times[index]?.push(took)
      }
    return programs.map((program, index) => ({
      name: program.name,
      ms: summary(times[index] ?? []),
      ratio: summary(ratios(times[index] ?? [], times[0] ?? [])),
      files: filesOf(program),
    }))
  } finally {
    rmSync(state, { recursive: true, force: true })
  }
}

function timeOf(program: Program): number {
  const began = performance.now()
  start(program, {})
  return performance.now() - began
}

function filesOf(program: Program): number {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-files-'))
  try {
    start(program, { NODE_V8_COVERAGE: folder })
    const urls = readdirSync(folder).flatMap(file => {
      const { result } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { result: { url: string }[] }
      return result.map(({ url }) => url)
    })
    return new Set(urls.filter(url => url.startsWith('file:'))).size
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function start({ cwd, args }: Program, env: Readonly<Record<string, string>>): void {
  const { status, stderr } = spawnSync(process.execPath, args, {
    cwd,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
  })
  if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`)
}
