/** Shape of a node: an object with pods or settings, one that holds data, or what the chart does not make. */
export type Shape = 'object' | 'data' | 'elsewhere';

/** Kind of an edge: a connection, what a pod reads or mounts, or what a NetworkPolicy allows. */
export type Arrow = '-->' | '-.->' | '==>';

interface Node {
  readonly id: string;
  readonly lines: readonly string[];
  readonly shape: Shape;
  readonly group: string | undefined;
}

interface Edge {
  readonly from: string;
  readonly arrow: Arrow;
  readonly label: string;
  readonly targets: Set<string>;
}

const BRACKETS: Record<Shape, [string, string]> = {
  object: ['["', '"]'],
  data: ['[("', '")]'],
  elsewhere: ['(["', '"])'],
};
/** What Mermaid, HTML or Markdown takes for syntax. */
const SYNTAX = /[^\p{L}\p{N} ,.:/=*-]/gu;

/** A flowchart of Mermaid, with nodes and edges in the order in which they are added. */
export class Flowchart {
  private readonly nodes: Node[] = [];
  /** Ids of the groups by their names. */
  private readonly groups = new Map<string, string>();
  private readonly edges = new Map<string, Edge>();
  private readonly ids = new Set<string>();

  /** Adds a node and returns its id, which follows from its first line: what is added before or after does not change it. */
  public node(lines: readonly string[], shape: Shape, group?: string): string {
    const id = this.idOf(lines[0] ?? '');
    this.nodes.push({ id, lines, shape, group });
    if (group !== undefined && !this.groups.has(group)) {
      this.groups.set(group, this.idOf(`of ${group}`));
    }
    return id;
  }

  public edge(from: string, arrow: Arrow, to: string, label = ''): void {
    const key = JSON.stringify([from, arrow, label]);
    const edge = this.edges.get(key) ?? { from, arrow, label, targets: new Set() };
    edge.targets.add(to);
    this.edges.set(key, edge);
  }

  public toString(): string {
    const nodesOf = (group: string | undefined): string[] =>
      this.nodes.filter((each) => each.group === group).map(rendered);
    const groups = [...this.groups].flatMap(([group, id]) => [
      `  subgraph ${id}["${escaped(group)}"]`,
      ...nodesOf(group).map((line) => `  ${line}`),
      '  end',
    ]);
    const edges = [...this.edges.values()].map(({ from, arrow, label, targets }) => {
      const text = label === '' ? '' : `|"${escaped(label)}"|`;
      return `  ${from} ${arrow}${text} ${[...targets].join(' & ')}`;
    });
    return ['flowchart LR', ...groups, ...nodesOf(undefined), ...edges, ''].join('\n');
  }

  private idOf(text: string): string {
    const start = text.replaceAll(/[^A-Za-z0-9]+/g, '_');
    let id = start;
    for (let i = 2; this.ids.has(id); i++) {
      id = `${start}_${String(i)}`;
    }
    this.ids.add(id);
    return id;
  }
}

function rendered({ id, lines, shape }: Node): string {
  const [open, close] = BRACKETS[shape];
  return `  ${id}${open}${lines.map(escaped).join('<br>')}${close}`;
}

/** Text as an entity of Mermaid for each character that could be syntax. */
function escaped(text: string): string {
  return text.replaceAll(SYNTAX, (character) => `#${String(character.codePointAt(0))};`);
}
