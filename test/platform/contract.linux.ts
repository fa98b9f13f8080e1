// For test/vm under software emulation: of all adapters the one to which another host makes a difference.
// What systemd makes a difference to is where cgroups lie; the rest is shown in the machines without it.
import { adapters } from './contract/adapter.ts'
import { contract, contractOfCgroups } from './contract.ts'

for (const adapter of adapters)
  if (adapter.platform === 'linux')
    if (adapter.title.startsWith('systemd')) contractOfCgroups(adapter)
    else contract(adapter)
