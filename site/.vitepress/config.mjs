import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { URL } from 'node:url';

import { defineConfig } from 'vitepress';

const ROOT = join(import.meta.dirname, '..', '..');
const { homepage, description } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const chapters = readFileSync(join(ROOT, 'docs', 'api', 'README.md'), 'utf8').matchAll(
  /^\| \[(.+?)\]\(([\w-]+)\.md\)/gm,
);
const api = Object.fromEntries([...chapters].map(([, title, page]) => [page, title]));
const topics = {
  Start: {
    start: 'Get started',
    languages: 'Java and Go',
    production: 'Production',
    'moving-in': 'Moving in',
    support: 'Support',
    changelog: 'Changelog',
  },
  'A server': {
    databases: 'Databases',
    connections: 'Connections',
    artifacts: 'Artifacts',
    logins: 'Logins',
    network: 'Network',
    security: 'Security',
    teams: 'Teams',
    objects: "MLflow's objects",
    resources: 'Resources',
  },
  'Day two': {
    operations: 'Operations',
    upgrades: 'Upgrades',
    monitoring: 'Monitoring',
    metrics: 'Metrics',
    logs: 'Logs',
    errors: 'Errors',
  },
  Clusters: { clusters: 'Clusters', gitops: 'GitOps' },
  'How it is made': {
    extending: 'Extending',
    architecture: 'Architecture',
    contributing: 'Contributing',
    reporting: 'Report a weakness',
    measurements: 'Measurements',
    judges: 'Judges',
    'mlflow-first-requests': 'A report for MLflow',
  },
};
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><circle cx="5" cy="5" r="5" fill="#3451b2"/></svg>';
const items = (pages, folder = '/') =>
  Object.entries(pages).map(([page, text]) => ({ text, link: `${folder}${page}` }));

export default defineConfig({
  title: 'cdk8s-mlflow',
  description,
  lang: 'en',
  base: new URL(homepage).pathname,
  srcDir: 'pages',
  cleanUrls: true,
  head: [['link', { rel: 'icon', href: `data:image/svg+xml,${encodeURIComponent(ICON)}` }]],
  sitemap: { hostname: homepage },
  markdown: {
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    // As GitHub makes them: one link works there and here.
    anchor: {
      slugify: (text) =>
        text
          .toLowerCase()
          .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
          .replaceAll(' ', '-'),
    },
    config: (md) => {
      const { fence } = md.renderer.rules;
      // Double braces are text, not an expression of Vue.
      for (const kind of ['text', 'code_inline']) {
        const render = md.renderer.rules[kind];
        md.renderer.rules[kind] = (...args) => render(...args).replaceAll('{{', '&#123;&#123;');
      }
      md.renderer.rules.fence = (tokens, index, ...rest) =>
        tokens[index].info.trim() === 'mermaid'
          ? `<Diagram code="${encodeURIComponent(tokens[index].content)}" />`
          : fence(tokens, index, ...rest);
      md.renderer.rules.code_block = (tokens, index, ...rest) => {
        tokens[index].info = 'txt';
        return fence(tokens, index, ...rest);
      };
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Get started', link: '/start' },
      { text: 'Docs', link: '/databases', activeMatch: '^/(?!start|api/|errors|$)' },
      { text: 'API', link: '/api/', activeMatch: '^/api/' },
      { text: 'Errors', link: '/errors' },
    ],
    sidebar: {
      '/': Object.entries(topics).map(([text, pages]) => ({ text, items: items(pages) })),
      '/api/': [
        { text: 'API', link: '/api/', items: items(api, '/api/') },
        { text: 'Docs', items: items({ start: 'Get started', databases: 'Databases' }) },
      ],
    },
    socialLinks: [{ icon: 'github', link: 'https://github.com/cdk8s-mlflow/cdk8s-mlflow' }],
    footer: { message: 'Apache-2.0' },
  },
});
