import type { Resources } from '../api.ts'

/**
 * What `holdfast run` limits where this host can: what no one would miss before a fork bomb, for a host has
 * some tens of thousands of pids for everybody.
 */
export const runDefaults: Resources = { pids: 4096 }
