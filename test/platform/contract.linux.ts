// For test/vm under software emulation: of all adapters the one to which another host makes a difference,
// and of its contract what cgroups have a part in: all of it is shown on the host of development. An ordinary
// user without cgroups of his own is one that test/rootless.test.ts shows on any host.
import { adapters } from './contract/adapter.ts'
import { contractOfCgroups } from './contract.ts'

for (const adapter of adapters)
  if (adapter.platform === 'linux' && adapter.title !== 'rootless without delegation')
    contractOfCgroups(adapter)
