import { linuxMode } from '../support/host-mode.ts'
import type { Adapter } from './contract/adapter.ts'
import { conformanceOf } from './contract/conformance.ts'
import { defaults, namespaces, ownRoot, privileges } from './contract/linux-isolation.ts'
import { memory, others, processes, processor } from './contract/linux-limits.ts'
import { unified } from './contract/linux-limits-v2.ts'
import { declare } from './contract.ts'

const linux: Adapter = {
  title: linuxMode() ?? 'linux',
  platform: 'linux',
  native: true,
  needs: ['linux', 'isolation', 'native'],
}

declare('the isolation of a linux task', linux, {
  'what `doctor --conformance` proves of it': conformanceOf('isolation'),
  'its privileges': privileges,
  'its namespaces': namespaces,
  'its own root': ownRoot,
  'what it has by default': defaults,
})

const limits = {
  'what `doctor --conformance` proves of them': conformanceOf('limits'),
  memory,
  processor,
  processes,
  others,
}

declare(
  'the limits of a linux task, on cgroup v1',
  { ...linux, needs: [...linux.needs, 'root', 'cgroup-v1'] },
  limits,
)

declare(
  'the limits of a linux task, on cgroup v2',
  { ...linux, needs: [...linux.needs, 'cgroup-v2', 'own-cgroup'] },
  { ...limits, unified },
)
