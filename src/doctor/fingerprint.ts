import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { bestPlatform } from '../platform/best-platform.ts'
import { hostFacts } from '../platform/host-facts.ts'
import { ownAccess } from '../platform/linux/access.ts'
import { type DiskFinding, findDiskWay } from '../platform/linux/disk-way.ts'
import { runDefaults } from '../supervisor/run-defaults.ts'
import { defaultStateDir } from '../supervisor/state-dir.ts'
import type { HostReport, Refusal, RunReport } from './host-report.ts'
import { isolationRows, overlayRow, unitRows } from './isolation-rows.ts'
import { limitRow, limitTrials } from './limit-rows.ts'
import { refusalOf, Trials } from './trial.ts'
import { removeLeftTrials } from './trial-directory.ts'

/** See the entry of this directory. */
export async function fingerprint(): Promise<HostReport> {
  const { cgroups, unit, mode, versions, rows } = await hostFacts()
  const { defaultRun, basicRun, network, overlay, limits } = await tried()
  const disk = await diskOfState()
  return {
    mode: defaultRun.refused === null ? mode : { ...mode, isolation: 'none' },
    versions,
    defaultRun,
    basicRun,
    rows: [
      ...rows,
      ...limitTrials.map(({ controller }, index) =>
        limitRow(controller, limits[index] ?? null, { cgroups, disk, refused: defaultRun.refused }),
      ),
      ...isolationRows(defaultRun, basicRun, network),
      overlayRow(overlay, defaultRun),
      ...unitRows(unit, { managed: mode.systemd !== null, defaultRun }),
    ],
  }
}

/** Of the default state directory, or of what it would be made in. */
function diskOfState(): Promise<DiskFinding> {
  let path = stateDirectory()
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path)
  return findDiskWay({ allocs: path, state: path }, ownAccess())
}

function stateDirectory(): string {
  try {
    return defaultStateDir()
  } catch {
    // This user has no home directory.
    return tmpdir()
  }
}

type Tried = {
  readonly defaultRun: RunReport
  readonly basicRun: RunReport
  /** Of a task without a network. */
  readonly network: RunReport
  /** Of a task with an overlay over its workspace. */
  readonly overlay: RunReport
  /** Of a task for each limit, in their order; null: there is nothing here that could be limited. */
  readonly limits: readonly (RunReport | null)[]
}

async function tried(): Promise<Tried> {
  await removeLeftTrials()
  let trials: Trials
  try {
    trials = new Trials()
  } catch (error) {
    return nothingTried(refusalOf(error))
  }
  try {
    // By itself: a host that refuses it refuses all, and is asked once.
    const defaultRun = await trials.of({ preferred: runDefaults })
    const basicRun = await trials.of({ basic: true })
    if (defaultRun.refused !== null)
      return { defaultRun, basicRun, network: defaultRun, overlay: defaultRun, limits: [] }
    const [network, overlay, limits] = await Promise.all([
      trials.of({ command: { network: 'none' } }),
      trials.ofOverlay(),
      Promise.all(
        limitTrials.map(async ({ limits }) => {
          const asked = limits()
          return asked === null ? null : trials.of({ limits: asked })
        }),
      ),
    ])
    return { defaultRun, basicRun, network, overlay, limits }
  } finally {
    await trials.close()
  }
}

function nothingTried(refused: Refusal): Tried {
  const none = { refused, enforcement: [], weakened: [] }
  const defaultRun = { platform: bestPlatform(), ...none }
  const basicRun = { platform: 'basic' as const, ...none }
  return { defaultRun, basicRun, network: defaultRun, overlay: defaultRun, limits: [] }
}
