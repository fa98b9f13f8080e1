// For test/vm: what is of the native program. The portable shim is a Node process per task, to which another
// host makes no difference.
import { adapters } from './contract/adapter.ts'
import { contract } from './contract.ts'

for (const adapter of adapters) if (adapter.native) contract(adapter)
