import type { Row } from '../../web/types.ts'

/** A task of which nothing is known. */
export const unknown: Row = {
  key: '',
  name: 'task',
  state: 'exited',
  labels: {},
  program: '/bin/sh',
  argumentCount: 0,
  pid: null,
  startedAt: null,
  exitedAt: null,
  killAt: null,
  cause: null,
  exitCode: null,
  oomKilled: false,
  evidence: null,
  failure: null,
}
