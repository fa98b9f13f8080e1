// Made by `npm run chart` from the machine. Do not edit.
import type { Layout } from './layout.ts'

export const taskLayout: Layout = {
  "width": 636.1118265629058,
  "height": 852,
  "start": {"x":287.7063108253286,"y":16,"width":14,"height":14},
  "any": {"x":16,"y":686,"width":84,"height":28},
  "entry": [{"x":294.7063108253286,"y":30},{"x":294.7063108253286,"y":54}],
  "states": [
    {"state":{"name":"configured","kind":"initial","actors":[],"answers":[{"event":"CONFIGURE","guard":null}]},"lines":["CONFIGURE"],"x":229.70631082532861,"y":54,"width":130,"height":56},
    {"state":{"name":"limited","kind":"normal","actors":[],"answers":[{"event":"LIMIT","guard":"notLaunching"},{"event":"CONFIGURE","guard":"notLaunching"},{"event":"START","guard":"notLaunching"},{"event":"STOP","guard":"launching"},{"event":"KILL","guard":"launching"}]},"lines":["LIMIT [notLaunching]","CONFIGURE [notLaunching]","START [notLaunching]","STOP [launching]","KILL [launching]"],"x":289.70051991534103,"y":202,"width":186.39999999999998,"height":120},
    {"state":{"name":"running","kind":"normal","actors":["watch"],"answers":[{"event":"RETRY","guard":"watchHasFailed"},{"event":"watch failed","guard":null}]},"lines":["▸ watch","RETRY [watchHasFailed]","watch failed"],"x":307.6451598962391,"y":398,"width":173.2,"height":88},
    {"state":{"name":"stopping","kind":"normal","actors":["stop"],"answers":[{"event":"RETRY","guard":"watchHasFailed"},{"event":"watch failed","guard":null},{"event":"stop done","guard":null},{"event":"stop failed","guard":null}]},"lines":["▸ stop","RETRY [watchHasFailed]","watch failed","stop done","stop failed"],"x":300.6,"y":594,"width":173.2,"height":120},
    {"state":{"name":"exited","kind":"final","actors":[],"answers":[]},"lines":[],"x":365.12163550340404,"y":798,"width":130,"height":38},
  ],
  "edges": [
    {"edge":{"from":"configured","to":"limited","labels":[{"event":"LIMIT","guard":null},{"event":"START","guard":null}]},"lines":["LIMIT","START"],"points":[{"x":294.7063108253286,"y":110},{"x":294.7063108253286,"y":186},{"x":382.90051991534096,"y":186},{"x":382.900519915341,"y":202}],"label":{"x":249.70631082532861,"y":134,"width":41,"height":36}},
    {"edge":{"from":"limited","to":"running","labels":[{"event":"launch done","guard":"launching"}]},"lines":["launch done [launching]"],"points":[{"x":351.83385324867436,"y":322},{"x":351.83385324867436,"y":382},{"x":394.2451598962391,"y":382},{"x":394.2451598962391,"y":398}],"label":{"x":188.03385324867435,"y":346,"width":159.79999999999998,"height":20}},
    {"edge":{"from":"limited","to":"exited","labels":[{"event":"launch failed","guard":"launching"},{"event":"EXITED","guard":"launching"}]},"lines":["launch failed [launching]","EXITED [launching]"],"points":[{"x":413.9671865820077,"y":322},{"x":413.9671865820077,"y":382},{"x":619.1118265629058,"y":382},{"x":619.1118265629058,"y":740},{"x":469.12163550340404,"y":740},{"x":469.12163550340404,"y":798}],"label":{"x":442.1118265629058,"y":526,"width":173,"height":36}},
    {"edge":{"from":"running","to":"stopping","labels":[{"event":"STOP","guard":null},{"event":"KILL","guard":null},{"event":"always","guard":"stopRequested"}]},"lines":["STOP","KILL","always [stopRequested]"],"points":[{"x":365.3784932295724,"y":486},{"x":365.3784932295724,"y":502},{"x":387.20000000000005,"y":502},{"x":387.20000000000005,"y":594}],"label":{"x":230.00000000000006,"y":518,"width":153.2,"height":52}},
    {"edge":{"from":"running","to":"exited","labels":[{"event":"EXITED","guard":null}]},"lines":["EXITED"],"points":[{"x":423.1118265629057,"y":486},{"x":423.1118265629058,"y":578},{"x":565.4000000000001,"y":578},{"x":565.4000000000001,"y":730},{"x":443.12163550340404,"y":730},{"x":443.12163550340404,"y":798}],"label":{"x":513.8000000000001,"y":594,"width":47.599999999999994,"height":20}},
    {"edge":{"from":"stopping","to":"stopping","labels":[{"event":"STOP","guard":"stopIsSooner"},{"event":"STOP","guard":"stopHasFailed"},{"event":"KILL","guard":null},{"event":"RETRY","guard":"stopHasFailed"}]},"lines":["STOP [stopIsSooner]","STOP [stopHasFailed]","KILL","RETRY [stopHasFailed]"],"points":[{"x":300.6,"y":634},{"x":290.6,"y":634},{"x":290.6,"y":674},{"x":300.6,"y":674}],"label":{"x":140.00000000000006,"y":620,"width":146.6,"height":68}},
    {"edge":{"from":"stopping","to":"exited","labels":[{"event":"EXITED","guard":null}]},"lines":["EXITED"],"points":[{"x":387.20000000000005,"y":714},{"x":387.20000000000005,"y":730},{"x":417.12163550340404,"y":730},{"x":417.12163550340404,"y":798}],"label":{"x":365.52163550340407,"y":746,"width":47.599999999999994,"height":20}},
    {"edge":{"from":null,"to":"exited","labels":[{"event":"RECOVER","guard":"notEnded"}]},"lines":["RECOVER [notEnded]"],"points":[{"x":58,"y":714},{"x":58,"y":730},{"x":238.79564309884466,"y":730},{"x":238.79564309884466,"y":782},{"x":391.12163550340404,"y":782},{"x":391.12163550340404,"y":798}],"label":{"x":107.99564309884465,"y":746,"width":126.8,"height":20}},
  ],
}
