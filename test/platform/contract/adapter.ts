import type { PlatformName } from '../../../src/platform/port.ts'
import { linuxMode } from '../../support/host-mode.ts'
import type { Need } from '../../support/requires.ts'
import type { Trait } from '../../support/traits.ts'
import type { Workbench } from '../../support/workbench.ts'

/** One way to run tasks, as the contract suite sees it. */
export type Adapter = {
  readonly title: string
  readonly platform: PlatformName
  /** By the compiled spawner and shim, or by the portable stand-in. */
  readonly native: boolean
  readonly needs: readonly Need[]
}

export type Body = (bench: Workbench) => Promise<void>

/**
 * Declares a test that gets a workbench of its own; afterwards nothing of any task may be left. It says what
 * it needs of its system beside the library: where that is not to be had, it is skipped with the reason.
 */
export type Check = {
  (title: string, body: Body): void
  (title: string, needs: readonly Trait[], body: Body): void
}

/** A part of the contract: declares its tests. */
export type Section = (check: Check, adapter: Adapter) => void

export const adapters: readonly Adapter[] = [
  { title: 'basic portable', platform: 'basic', native: false, needs: [] },
  { title: 'basic native', platform: 'basic', native: true, needs: ['linux', 'native'] },
  { title: linuxMode() ?? 'linux', platform: 'linux', native: true, needs: ['linux', 'isolation', 'native'] },
]
