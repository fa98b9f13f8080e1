// The Basic contract on Windows' own Node (test/windows/run: under Wine). The programs of its tasks are those
// of test/windows/box.
import { adapters } from '../platform/contract/adapter.ts'
import { contract } from '../platform/contract.ts'

for (const adapter of adapters) if (!adapter.native) contract(adapter)
