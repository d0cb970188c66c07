/** The configuration of `npm start`: a real dogwatch.yaml, written where everybody can read and change it. */

export type Scene = {
  readonly publicUrl: string;
  readonly port: number;
  readonly issuer: string;
  readonly dataDir: string;
  readonly sandbox: string;
};

export const demoConfiguration = (
  scene: Scene,
): string => `# Written by \`npm start\` at every start; change it while that runs. For a gateway of your own: deploy/dogwatch.example.yaml.
publicUrl: ${scene.publicUrl}
listen: 127.0.0.1:${scene.port}
dataDir: ${scene.dataDir}   # embedded PostgreSQL and keys

identity:
  issuers:
    # Stands in for https://token.actions.githubusercontent.com on this machine.
    - name: github
      issuer: ${scene.issuer}
      kind: github
      audience: ${scene.publicUrl}
      allow: caller.repository_owner_id == "1234"

connections:
  # The built-in sandbox answers as Datadog does, and forgets everything when it stops.
  - { name: sandbox, kind: sandbox, site: datadoghq.com, endpoint: "${scene.sandbox}", apiKey: sandbox-api-key, appKey: sandbox-app-key }

access:
  # Whoever holds it may read every recording. The terminal shows a link that signs in with it, once.
  tokens: [{ name: you, role: auditor, token: "\${env:DOGWATCH_DEMO_TOKEN}" }]

policy:
  rules:
    - name: agents-may-read
      effect: allow
      when: operation.access == "read"
    - name: agents-may-submit
      effect: allow
      when: operation.access == "submit"
    - name: the-checkout-team-may-write
      effect: allow
      when: caller.repository == "acme/checkout" && operation.access == "write"
    - name: no-monitor-deletes
      effect: deny
      when: operation.name == "DeleteMonitor"
`;
