import assert from 'node:assert/strict';
import test from 'node:test';

import { countsOf, disagreements } from './findings.mjs';

const finding = { judge: 'checkov', id: 'CKV_1', example: 'a', counts: true, text: 'Pod/x: should not' };
const entry = { judge: 'checkov', id: 'CKV_1', reason: 'because' };

test('what is acknowledged passes', () => {
  assert.deepEqual(disagreements([finding], [entry], ['a']), []);
});

test('what is not acknowledged fails', () => {
  const shown = ['a: checkov CKV_1: Pod/x: should not'];
  assert.deepEqual(disagreements([finding], [], ['a']), shown);
  const others = [
    { ...entry, judge: 'kube-score' },
    { ...entry, id: 'CKV_2' },
    { ...entry, except: ['a'] },
  ];
  others.forEach((other) => assert.deepEqual(disagreements([finding], [other], ['a']).slice(0, 1), shown));
});

test('what is acknowledged and not found fails, a warning is not enough', () => {
  const unused = ['acknowledged, but not found: checkov CKV_1'];
  assert.deepEqual(disagreements([], [entry], ['a']), unused);
  assert.deepEqual(disagreements([{ ...finding, counts: false }], [entry], ['a']), unused);
});

test('an acknowledgement needs a reason, is there once, and knows the examples', () => {
  assert.deepEqual(disagreements([finding], [{ ...entry, reason: ' ' }], ['a']), [
    'acknowledged without a reason: checkov CKV_1',
  ]);
  assert.deepEqual(disagreements([finding], [entry, entry], ['a']), ['acknowledged twice: checkov CKV_1']);
  assert.deepEqual(disagreements([finding], [{ ...entry, except: ['b'] }], ['a']).slice(0, 1), [
    'acknowledged except in "b", which is no example: checkov CKV_1',
  ]);
});

test('counts by example and judge', () => {
  const warning = { ...finding, judge: 'kube-score', counts: false };
  assert.deepEqual(countsOf([finding, finding, warning], ['a', 'b']).a, {
    'kube-score critical': 0,
    'kube-score warning': 1,
    'checkov failed': 2,
    'pod-security forbidden': 0,
    'api-validation': 0,
  });
});
