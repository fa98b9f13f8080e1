import { execFileSync } from 'node:child_process'
import { chownSync, readFileSync } from 'node:fs'
import { execa } from 'execa'
import { packageRoot } from '../../src/spawn/native-program.ts'
import { temporaryDirectory } from './temporary.ts'

/** A user that owns nothing on this host, for root to become. */
export const ordinaryUid = 64_907

type Outcome = { readonly fullTitle: string; readonly err?: { readonly message?: string } }

export type ReportOfRun = {
  readonly passes: readonly Outcome[]
  readonly pending: readonly Outcome[]
  readonly failures: readonly Outcome[]
  /** What it wrote to its standard error: why tests were skipped, above all. */
  readonly said: string
}

/** Runs test files in a mocha of their own, as that user. Only root can. */
export async function runTestsAsOrdinaryUser(files: readonly string[]): Promise<ReportOfRun> {
  const home = homeOfOrdinaryUser()
  const report = `${home}/report.json`
  const configuration = [
    '--no-config',
    '--extension',
    'ts',
    '--require',
    './test/setup.ts',
    '--timeout',
    '60000',
  ]
  const reporter = ['--reporter', 'json', '--reporter-option', `output=${report}`]
  const { stderr, stdout } = await execa(
    process.execPath,
    [
      '--import',
      'tsx',
      '--conditions=development',
      'node_modules/mocha/bin/mocha.js',
      ...configuration,
      ...reporter,
      ...files,
    ],
    {
      cwd: packageRoot,
      reject: false,
      uid: ordinaryUid,
      gid: ordinaryUid,
      extendEnv: false,
      // Not CI: what is root's alone is skipped there, and run here.
      env: { PATH: process.env.PATH, HOME: home, TMPDIR: home },
    },
  )
  try {
    return { ...(JSON.parse(readFileSync(report, 'utf8')) as ReportOfRun), said: stderr }
  } catch {
    throw new Error(`mocha did not run as user ${ordinaryUid}: ${stderr.slice(-2000)}${stdout.slice(-2000)}`)
  }
}

/** A directory of its own, for state and temporary files. */
export function homeOfOrdinaryUser(): string {
  const home = temporaryDirectory('home')
  chownSync(home, ordinaryUid, ordinaryUid)
  return home
}

/** Whether that user can run tests of this clone, isolated. */
export function ordinaryUserServes(): boolean {
  const files = ['package.json', 'node_modules/mocha/package.json', 'build/native/holdfast-native']
  const readable = files.flatMap(file => ['-a', '-r', `${packageRoot}/${file}`]).slice(1)
  return succeeds('test', readable) && succeeds('unshare', ['--user', 'true'])
}

function succeeds(program: string, args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore', uid: ordinaryUid, gid: ordinaryUid, cwd: '/' })
    return true
  } catch {
    return false
  }
}
