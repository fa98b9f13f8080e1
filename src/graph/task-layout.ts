// Made by `npm run chart` from the machine. Do not edit.
import type { Layout } from './layout.ts'

export const taskLayout: Layout = {
  "width": 601.4399999999999,
  "height": 1018,
  "start": {"x":129.39844299975422,"y":16,"width":14,"height":14},
  "any": {"x":35.039999999999985,"y":852,"width":84,"height":28},
  "entry": [{"x":136.39844299975422,"y":30},{"x":136.39844299975422,"y":54}],
  "states": [
    {"state":{"name":"configured","within":null,"kind":"initial","actors":[],"answers":[{"event":"CONFIGURE","guard":null}]},"lines":["CONFIGURE"],"x":71.39844299975422,"y":54,"width":130,"height":56},
    {"state":{"name":"limited","within":null,"kind":"normal","actors":[],"answers":[]},"lines":[],"x":38.085694611205945,"y":199,"width":183.66666666666666,"height":282},
    {"state":{"name":"ready","within":"limited","kind":"initial","actors":[],"answers":[{"event":"LIMIT","guard":null},{"event":"CONFIGURE","guard":null}]},"lines":["LIMIT","CONFIGURE"],"x":54.085694611205945,"y":245,"width":130,"height":72},
    {"state":{"name":"launching","within":"limited","kind":"normal","actors":["launch"],"answers":[{"event":"STOP","guard":null},{"event":"KILL","guard":null}]},"lines":["▸ launch","STOP","KILL"],"x":75.75236127787261,"y":377,"width":130,"height":88},
    {"state":{"name":"running","within":null,"kind":"normal","actors":["watch"],"answers":[{"event":"RETRY","guard":"watchHasFailed"},{"event":"watch failed","guard":null}]},"lines":["▸ watch","RETRY [watchHasFailed]","watch failed"],"x":241.38289692249413,"y":562,"width":173.2,"height":88},
    {"state":{"name":"stopping","within":null,"kind":"normal","actors":["stop"],"answers":[{"event":"RETRY","guard":"watchHasFailed"},{"event":"watch failed","guard":null},{"event":"stop done","guard":null},{"event":"stop failed","guard":null}]},"lines":["▸ stop","RETRY [watchHasFailed]","watch failed","stop done","stop failed"],"x":319.64,"y":750,"width":173.2,"height":120},
    {"state":{"name":"exited","within":null,"kind":"final","actors":[],"answers":[]},"lines":[],"x":118.28403124999998,"y":964,"width":130,"height":38},
  ],
  "edges": [
    {"edge":{"from":"configured","to":"ready","labels":[{"event":"LIMIT","guard":null}]},"lines":["LIMIT"],"points":[{"x":114.73177633308757,"y":110},{"x":114.73177633308757,"y":126},{"x":113.87802972096094,"y":126},{"x":113.87802972096094,"y":178},{"x":119.08569461120595,"y":178},{"x":119.08569461120595,"y":245}],"label":{"x":68.87802972096094,"y":142,"width":41,"height":20}},
    {"edge":{"from":"configured","to":"launching","labels":[{"event":"START","guard":null}]},"lines":["START"],"points":[{"x":158.06510966642088,"y":110},{"x":158.06510966642088,"y":126},{"x":194.08569461120595,"y":126},{"x":194.08569461120595,"y":367},{"x":162.41902794453927,"y":367},{"x":162.41902794453927,"y":377}],"label":{"x":149.08569461120595,"y":142,"width":41,"height":20}},
    {"edge":{"from":"ready","to":"launching","labels":[{"event":"START","guard":null}]},"lines":["START"],"points":[{"x":119.08569461120595,"y":317},{"x":119.08569461120595,"y":377}],"label":{"x":76.08569461120595,"y":337,"width":41,"height":20}},
    {"edge":{"from":"launching","to":"exited","labels":[{"event":"EXITED","guard":null},{"event":"launch failed","guard":null}]},"lines":["EXITED","launch failed"],"points":[{"x":119.08569461120595,"y":465},{"x":119.08569461120595,"y":836},{"x":16.039999999999992,"y":836},{"x":16.039999999999992,"y":948},{"x":144.28403125,"y":948},{"x":144.28403125,"y":964}],"label":{"x":21.285694611205955,"y":784,"width":93.8,"height":36}},
    {"edge":{"from":"launching","to":"running","labels":[{"event":"launch done","guard":null}]},"lines":["launch done"],"points":[{"x":162.4190279445393,"y":465},{"x":162.4190279445393,"y":502},{"x":327.9828969224941,"y":502},{"x":327.9828969224941,"y":562}],"label":{"x":243.38289692249413,"y":518,"width":80.6,"height":20}},
    {"edge":{"from":"running","to":"stopping","labels":[{"event":"STOP","guard":null},{"event":"KILL","guard":null},{"event":"always","guard":"stopRequested"}]},"lines":["STOP","KILL","always [stopRequested]"],"points":[{"x":299.1162302558275,"y":650},{"x":299.1162302558275,"y":742},{"x":406.24,"y":742},{"x":406.24,"y":750}],"label":{"x":141.9162302558275,"y":674,"width":153.2,"height":52}},
    {"edge":{"from":"running","to":"exited","labels":[{"event":"EXITED","guard":null}]},"lines":["EXITED"],"points":[{"x":356.84956358916077,"y":650},{"x":356.84956358916077,"y":732},{"x":584.4399999999999,"y":732},{"x":584.4399999999999,"y":948},{"x":222.28403125,"y":948},{"x":222.28403125,"y":964}],"label":{"x":532.8399999999999,"y":748,"width":47.599999999999994,"height":20}},
    {"edge":{"from":"stopping","to":"stopping","labels":[{"event":"STOP","guard":"stopIsSooner"},{"event":"STOP","guard":"stopHasFailed"},{"event":"KILL","guard":null},{"event":"RETRY","guard":"stopHasFailed"}]},"lines":["STOP [stopIsSooner]","STOP [stopHasFailed]","KILL","RETRY [stopHasFailed]"],"points":[{"x":319.64,"y":790},{"x":309.64,"y":790},{"x":309.64,"y":830},{"x":319.64,"y":830}],"label":{"x":159.04000000000002,"y":776,"width":146.6,"height":68}},
    {"edge":{"from":"stopping","to":"exited","labels":[{"event":"EXITED","guard":null}]},"lines":["EXITED"],"points":[{"x":406.24,"y":870},{"x":406.24,"y":886},{"x":315.1048405094724,"y":886},{"x":315.1048405094724,"y":938},{"x":196.28403125,"y":938},{"x":196.28403125,"y":964}],"label":{"x":263.50484050947244,"y":902,"width":47.599999999999994,"height":20}},
    {"edge":{"from":null,"to":"exited","labels":[{"event":"RECOVER","guard":"notEnded"}]},"lines":["RECOVER [notEnded]"],"points":[{"x":77.03999999999999,"y":880},{"x":77.03999999999999,"y":896},{"x":170.28403125,"y":896},{"x":170.28403125,"y":964}],"label":{"x":39.48403124999999,"y":912,"width":126.8,"height":20}},
  ],
}
