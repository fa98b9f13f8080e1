import type { RlimitName } from '../api.ts'

/**
 * The limits of setrlimit(2), and what /proc/PID/limits calls them (`lnames`, fs/proc/base.c). One that is
 * left out does not compile; test/spawn/options.test.ts compares them with the native ones.
 */
export const rlimitLines = {
  as: 'Max address space',
  core: 'Max core file size',
  cpu: 'Max cpu time',
  data: 'Max data size',
  fsize: 'Max file size',
  locks: 'Max file locks',
  memlock: 'Max locked memory',
  msgqueue: 'Max msgqueue size',
  nice: 'Max nice priority',
  nofile: 'Max open files',
  nproc: 'Max processes',
  rss: 'Max resident set',
  rtprio: 'Max realtime priority',
  rttime: 'Max realtime timeout',
  sigpending: 'Max pending signals',
  stack: 'Max stack size',
} as const satisfies Readonly<Record<RlimitName, string>>
