/** Credentials of forges, registries, build services and model providers. */

import { entropyOf, isPlaceholder, passesTokenChecksum } from "../validators.ts";
import type { Rule, Sighting } from "../rule.ts";

const isWritten = ({ value }: Sighting): boolean => !isPlaceholder(value);

/** A right checksum settles it; what was cut, glued to other text or made up by another issuer still has to look random. */
const isToken = ({ value }: Sighting): boolean => passesTokenChecksum(value) || entropyOf(value) >= 3;

export const codeRules: readonly Rule[] = [
  {
    kind: "github-token",
    pattern: String.raw`gh[pousr]_[A-Za-z0-9]{36,}`,
    sign: "run",
    check: isToken,
    note: "https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/",
  },
  {
    kind: "github-token",
    pattern: String.raw`ghs_[A-Za-z0-9]{1,20}_eyJ[A-Za-z0-9._-]{30,}`,
    sign: "run",
    note: "installation tokens that hold a JWT",
  },
  {
    kind: "github-fine-grained-token",
    pattern: String.raw`github_pat_[A-Za-z0-9_]{36,}`,
    sign: "run",
    check: isWritten,
    note: "82 characters today",
  },
  {
    kind: "gitlab-token",
    pattern: String.raw`\bgl(?:pat|oas|dt|rt|cbt|ptt|ft|imt|agent|soat|ffct)-[0-9A-Za-z_-]{20,}(?:\.[0-9a-z]{2}\.[0-9a-z]{9})?`,
    sign: "run",
    check: isWritten,
    note: "https://docs.gitlab.com/security/tokens/#token-prefixes",
  },
  {
    kind: "bitbucket-token",
    pattern: String.raw`\bATBB[A-Za-z0-9]{28,}`,
    sign: "run",
    check: isWritten,
    note: "app passwords",
  },
  {
    kind: "atlassian-token",
    pattern: String.raw`\bAT[AC]TT3[A-Za-z0-9_=-]{80,}`,
    sign: "run",
    note: "API tokens of accounts and of resources",
  },
  {
    kind: "npm-token",
    pattern: String.raw`\bnpm_[A-Za-z0-9]{36,}`,
    sign: "run",
    check: isToken,
    note: "same checksum as GitHub's",
  },
  {
    kind: "pypi-token",
    pattern: String.raw`\bpypi-[A-Za-z0-9_-]{50,}`,
    sign: "run",
    check: isWritten,
    note: "macaroons",
  },
  { kind: "rubygems-token", pattern: String.raw`\brubygems_[0-9a-f]{48}`, sign: "run", check: isWritten, note: "" },
  {
    kind: "docker-token",
    pattern: String.raw`\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}`,
    sign: "run",
    check: isWritten,
    note: "of people and of organizations",
  },
  {
    kind: "jfrog-token",
    pattern: String.raw`\b(?:AKCp[A-Za-z0-9]{60,}|cmVmdGtu[A-Za-z0-9]{50,})`,
    sign: "run",
    check: isWritten,
    note: "API keys and reference tokens",
  },
  { kind: "sonar-token", pattern: String.raw`\bsq[apu]_[0-9a-f]{40}`, sign: "run", check: isWritten, note: "" },
  { kind: "buildkite-token", pattern: String.raw`\bbkua_[0-9a-f]{40}`, sign: "run", check: isWritten, note: "" },
  {
    kind: "circleci-token",
    pattern: String.raw`\bCCIP(?:AT|RJ)_[A-Za-z0-9]{16,}_[0-9a-f]{40}`,
    sign: "run",
    check: isWritten,
    note: "",
  },
  {
    kind: "openai-key",
    pattern: String.raw`\bsk-(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{32,})`,
    sign: "run",
    check: isWritten,
    note: "other providers copy the form",
  },
  {
    kind: "anthropic-key",
    pattern: String.raw`\bsk-ant-[A-Za-z0-9_-]{20,}`,
    sign: "run",
    check: isWritten,
    note: "api, admin and OAuth",
  },
  {
    kind: "huggingface-token",
    pattern: String.raw`\b(?:hf|api_org)_[A-Za-z0-9]{30,}`,
    sign: "run",
    check: isWritten,
    note: "of people and of organizations",
  },
  { kind: "replicate-token", pattern: String.raw`\br8_[A-Za-z0-9]{30,}`, sign: "run", check: isWritten, note: "" },
  {
    kind: "model-provider-key",
    pattern: String.raw`\b(?:gsk_[A-Za-z0-9]{40,}|xai-[A-Za-z0-9]{60,}|pplx-[A-Za-z0-9]{40,})`,
    sign: "run",
    check: isWritten,
    note: "",
  },
];
