/** Findings of each judge for each example. */
export function countsOf(findings, examples) {
  return Object.fromEntries(
    examples.map((example) => {
      const count = (judge, counts) =>
        findings.filter((each) => each.example === example && each.judge === judge && each.counts === counts).length;
      return [
        example,
        {
          'kube-score critical': count('kube-score', true),
          'kube-score warning': count('kube-score', false),
          'checkov failed': count('checkov', true),
          'pod-security forbidden': count('pod-security', true),
          'api-validation': count('api-validation', true),
        },
      ];
    }),
  );
}

/** Findings that nobody has acknowledged, and acknowledgements of what nobody has found; a line each. */
export function disagreements(findings, acknowledged, examples) {
  const wrong = acknowledged.flatMap((entry, i) => malformed(entry, i, acknowledged, examples));
  const used = new Set();
  for (const finding of findings.filter(({ counts }) => counts)) {
    const entry = acknowledged.find((each) => covers(each, finding));
    if (entry !== undefined) {
      used.add(entry);
    } else {
      wrong.push(`${finding.example}: ${finding.judge} ${finding.id}: ${finding.text}`);
    }
  }
  const unused = acknowledged.filter((entry) => !used.has(entry));
  return [...wrong, ...unused.map(({ judge, id }) => `acknowledged, but not found: ${judge} ${id}`)];
}

function covers({ judge, id, except = [] }, finding) {
  return judge === finding.judge && id === finding.id && !except.includes(finding.example);
}

function malformed({ judge, id, reason, except = [] }, index, all, examples) {
  const name = `${judge} ${id}`;
  return [
    ...(typeof reason === 'string' && reason.trim() !== '' ? [] : [`acknowledged without a reason: ${name}`]),
    ...(all.findIndex((each) => each.judge === judge && each.id === id) === index
      ? []
      : [`acknowledged twice: ${name}`]),
    ...except
      .filter((example) => !examples.includes(example))
      .map((example) => `acknowledged except in "${example}", which is no example: ${name}`),
  ];
}
