import { parser } from '@prometheus-io/lezer-promql';

/** What a PromQL expression refers to, or where it is no PromQL. */
export interface Parsed {
  readonly metrics: string[];
  readonly errorsAt: number[];
}

/** Parses with the grammar of Prometheus's own user interface. */
export function parse(expression: string): Parsed {
  const metrics: string[] = [];
  const errorsAt: number[] = [];
  parser.parse(expression).iterate({
    enter: (node) => {
      if (node.type.isError) {
        errorsAt.push(node.from);
      } else if (node.name === 'VectorSelector') {
        const identifier = node.node.getChild('Identifier');
        metrics.push(identifier === null ? '' : expression.slice(identifier.from, identifier.to));
      }
    },
  });
  return { metrics, errorsAt };
}
