/** The configuration of `npm start`: a real dogwatch.yaml, written where everybody can read and change it. */

export type Scene = {
  readonly publicUrl: string;
  readonly port: number;
  readonly github: { readonly url: string; readonly apiUrl: string };
  readonly appId: number;
  readonly clientId: string;
  /** Path of the App's key. */
  readonly privateKey: string;
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
      issuer: ${scene.github.url}
      kind: github
      audience: ${scene.publicUrl}
      allow: caller.repository_owner_id == "1234"

connections:
  # The built-in sandbox answers as Datadog does, and forgets everything when it stops.
  - { name: sandbox, kind: sandbox, site: datadoghq.com, endpoint: "${scene.sandbox}", apiKey: sandbox-api-key, appKey: sandbox-app-key }

access:
  # Whoever holds it may read every recording and administer. The terminal shows a link that signs in with it, once.
  tokens: [{ name: you, role: admin, token: "\${env:DOGWATCH_DEMO_TOKEN}" }]

# The GitHub App that asks people. The stand-in made it; \`dogwatch github setup\` makes yours.
github:
  apiUrl: ${scene.github.apiUrl}
  appId: ${scene.appId}
  clientId: ${scene.clientId}
  clientSecret: \${env:DOGWATCH_DEMO_CLIENT_SECRET}
  privateKey: \${file:${scene.privateKey}}
  webhookSecret: \${env:DOGWATCH_DEMO_WEBHOOK_SECRET}

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
    - name: deleting-a-monitor-needs-a-human
      effect: approve
      when: operation.name == "DeleteMonitor"
      approvers: { permission: write }
      via: [comment, check, page]
      expires: 30m
    - name: no-dashboard-deletes
      effect: deny
      when: operation.name == "DeleteDashboard"
`;
