/** The sample operations of a role, read from ../samples, as GraphiQL's first tabs. */
import type { Role } from './portal';

const files = import.meta.glob<string>('../samples/*/*.{graphql,json}', {
  query: '?raw',
  import: 'default',
  eager: true,
});

export interface Sample {
  query: string;
  variables: string | null;
}

export function samplesFor(role: Role): Sample[] {
  return Object.keys(files)
    .filter((path) => path.startsWith(`../samples/${role}/`) && path.endsWith('.graphql'))
    .sort()
    .map((path) => ({
      query: files[path]!,
      variables: files[path.replace(/\.graphql$/, '.variables.json')] ?? null,
    }));
}
