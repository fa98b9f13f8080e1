import { adapters } from './contract/adapter.ts'
import { contract } from './contract.ts'

for (const adapter of adapters) contract(adapter)
