import { type ExitRecord, uncounted, unmeasured } from '../../machines/index.ts'

/** Of a program that has exited with 0. */
export const plainExit: ExitRecord = {
  format: 'holdfast.exit',
  version: 1,
  exitCode: 0,
  signal: null,
  coreDumped: false,
  rusage: null,
  startedAt: 1,
  exitedAt: 2,
  oomKills: null,
  stop: null,
  survivors: [],
  logsComplete: true,
  limitsHit: uncounted,
  memory: unmeasured,
  failure: null,
}
