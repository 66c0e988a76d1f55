/** The drawing of docs/architecture.md, made of the imports as they are. */
import { cruise } from 'dependency-cruiser';
import { fence } from './markdown.ts';

const CONTRACT = /^src\/([^/]+)[.]ts$/;

/** The box of the drawing in which a file stands. */
function box(file: string): string | null {
  const wiring = /^src\/(cli\/(?:wire|worker))[.]ts$/.exec(file);
  if (wiring?.[1] !== undefined) return wiring[1];
  const contract = CONTRACT.exec(file);
  if (contract?.[1] !== undefined) return contract[1];
  const folder = /^(?:src\/([^/]+)|(detectors))\//.exec(file);
  return folder?.[1] ?? folder?.[2] ?? null;
}

/** Mermaid of who imports whom: contracts in the middle, folders around them; packages are left out. */
export async function arrows(): Promise<string> {
  const { output } = await cruise(['src', 'detectors'], {
    tsPreCompilationDeps: true,
    exclude: { path: ['^src/formats/scanner/', 'node_modules'] },
  });
  if (typeof output === 'string') throw new Error('dependency-cruiser gave text instead of modules');
  const contracts = new Set<string>();
  const edges = new Map<string, Set<string>>();
  for (const { source, dependencies } of output.modules) {
    const from = box(source);
    if (from === null) continue;
    if (CONTRACT.test(source)) contracts.add(from);
    for (const { resolved } of dependencies) {
      const to = box(resolved);
      // How contracts lean on each other is no news to a reader of the drawing.
      if (to === null || to === from || CONTRACT.test(source)) continue;
      edges.set(from, (edges.get(from) ?? new Set()).add(to));
    }
  }
  if (contracts.size === 0) throw new Error('dependency-cruiser saw no contract: the drawing would be empty');
  const lines = [
    'flowchart LR',
    '  subgraph contracts',
    ...[...contracts].toSorted().map((name) => `    ${contractId(name)}([${name}.ts])`),
    '  end',
    ...[...edges.keys()].toSorted().flatMap((from) =>
      [...(edges.get(from) ?? [])].toSorted().map((to) => {
        const target = contracts.has(to) ? contractId(to) : folder(to);
        return `  ${folder(from)} --> ${target}`;
      }),
    ),
  ];
  return fence('mermaid', lines.join('\n'));
}

const contractId = (name: string): string => name.replaceAll(/[^a-z]/g, '_');
/** Folders get ids of their own, for `backends` stands beside `backend`. */
const folder = (name: string): string => `${contractId(name)}_[${name}]`;
