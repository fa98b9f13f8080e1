// For test/vm under software emulation: of all adapters the one to which another host makes a difference.
import { adapters } from './contract/adapter.ts'
import { contract } from './contract.ts'

for (const adapter of adapters) if (adapter.platform === 'linux') contract(adapter)
