// For test/rootless.test.ts: of all adapters the one that another user changes.
import { adapters } from './contract/adapter.ts'
import { contract } from './contract.ts'

for (const adapter of adapters) if (adapter.platform === 'linux') contract(adapter)
