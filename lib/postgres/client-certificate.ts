import { FileSource } from '../kube/file-source';
import type { Problems } from '../kube/problems';

/** A client certificate and its private key. */
export class ClientCertificate {
  /**
   * From a Secret of the type `kubernetes.io/tls`, as cert-manager makes them: keys `tls.crt` and `tls.key`.
   *
   * @param secretName name of the Secret, in the namespace of the pods
   */
  public static fromSecretName(secretName: string): ClientCertificate {
    return new ClientCertificate(
      FileSource.fromSecret(secretName, 'tls.crt'),
      FileSource.fromSecret(secretName, 'tls.key'),
    );
  }

  /**
   * @param certificate the certificate, PEM
   * @param privateKey its key, PEM without a passphrase
   */
  public constructor(
    public readonly certificate: FileSource,
    public readonly privateKey: FileSource,
  ) {}

  /** @internal */
  public _check(problems: Problems): void {
    this.certificate._check(problems, 'tls.clientCertificate.certificate');
    this.privateKey._check(problems, 'tls.clientCertificate.privateKey');
  }
}
