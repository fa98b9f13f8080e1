import { type Contender, nothingToTidy } from '../contender.ts'
import { endedWell } from './child.ts'

export const bareSpawn: Contender = {
  name: 'child_process.spawn',
  version: process.version,
  does: 'nothing isolated, nothing recorded',
  async run() {
    await endedWell('/bin/true', [])
    return nothingToTidy
  },
  async close() {},
}
