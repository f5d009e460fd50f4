import { hostsOf, setIngress, setService, tlsSecretNames } from '../../parts/access';
import { addMonitoring } from '../../parts/monitoring';
import type { Rule } from '../../rule';
import { texts } from '../../../code/code';

/** How the server is reached and watched. */
export const ACCESS_RULES: readonly Rule[] = [
  {
    keys: 'service.{type,port,annotations}',
    convert: (values, release) => {
      setService(values, release, {
        typeKey: 'service.type',
        type: values.text('service.type') ?? 'ClusterIP',
        port: values.whole('service.port') ?? 80,
        annotations: values.textMap('service.annotations'),
      });
    },
  },
  {
    keys: 'service.{enabled,name,containerPort,containerPortName}',
    leaveOut: 'A Service is always there, and the port of the pods is 5000.',
  },
  {
    keys: 'ingress.{enabled,className,annotations,hosts,tls}',
    convert: (values, release) => {
      if (values.flag('ingress.enabled')) {
        setIngress(release, {
          keys: ['ingress'],
          className: values.text('ingress.className'),
          annotations: values.textMap('ingress.annotations'),
          hosts: values.has('ingress.hosts')
            ? hostsOf(values, release, 'ingress.hosts')
            : [{ host: 'chart-example.local', paths: ['/'] }],
          tlsSecretNames: tlsSecretNames(values, release, 'ingress.tls'),
        });
      }
    },
  },
  {
    keys: '{corsAllowedOrigins,serverAllowedHosts}',
    convert: (values, release) => {
      const lists = { corsAllowedOrigins: 'corsAllowedOrigins', allowedHosts: 'serverAllowedHosts' };
      for (const [prop, key] of Object.entries(lists)) {
        const given = values.any(key);
        const items = Array.isArray(given)
          ? values.texts(key)
          : (values.text(key) ?? '').split(',').map((each) => each.trim());
        const named = items.filter((each) => each !== '');
        release.set(prop, named.length === 0 ? undefined : texts(named));
      }
    },
  },
  { keys: 'serverHost', leaveOut: 'The server listens on all addresses of its pod.' },
  {
    keys: 'serviceMonitor.{enabled,interval,timeout,labels,metricRelabelings}',
    convert: (values, release) => {
      if (values.flag('serviceMonitor.enabled')) {
        addMonitoring(release, {
          keys: ['serviceMonitor'],
          interval: values.text('serviceMonitor.interval'),
          timeout: values.text('serviceMonitor.timeout'),
          labels: values.has('serviceMonitor.labels')
            ? values.textMap('serviceMonitor.labels')
            : { release: 'prometheus' },
          metricRelabelings: values.maps('serviceMonitor.metricRelabelings'),
        });
      }
    },
  },
  { keys: 'serviceMonitor.labels.release', convert: () => undefined },
  {
    keys: 'serviceMonitor.{namespace,useServicePort,telemetryPath}',
    leaveOut: "The monitor is in the server's namespace, and knows its port and path.",
  },
  {
    keys: 'serviceMonitor.targetLabels',
    doInstead: '`relabelings` of PrometheusScrape.serviceMonitor() put labels of the Service on the series.',
  },
];
