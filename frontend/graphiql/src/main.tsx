/** Kontor's GraphiQL page: one portal, its Session panel, and sample tabs for whoever is signed in. */
import { useEffect, useMemo } from 'react';
import { createRoot } from 'react-dom/client';
import { GraphiQL } from 'graphiql';
import { useGraphiQL } from '@graphiql/react';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import 'graphiql/setup-workers/vite';
// not graphiql/style.css: that one carries Monaco's styles a second time and 350 kB of fonts
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import '@graphiql/plugin-explorer/style.css';
import 'graphiql/graphiql.css';
import './style.css';
import { sessionPlugin } from './panel';
import { page, type Role } from './portal';
import { samplesFor } from './samples';
import { checkSession, fetcher, useSession } from './session';
import { storageFor } from './storage';

const plugins = [sessionPlugin, HISTORY_PLUGIN, explorerPlugin()]; // the docs come first by themselves

function Portal() {
  const { role } = useSession();
  return <Workbench key={role} role={role} />; // another role, another set of tabs
}

function Workbench({ role }: { role: Role }) {
  const samples = useMemo(() => samplesFor(role), [role]);
  const storage = useMemo(() => storageFor(role, samples), [role, samples]);
  return (
    <GraphiQL
      fetcher={fetcher}
      storage={storage}
      defaultTabs={samples}
      plugins={plugins}
      visiblePlugin={sessionPlugin}
      defaultEditorToolsVisibility="variables"
      inputValueDeprecation
      schemaDescription
    >
      <GraphiQL.Logo>{page.portal.name}</GraphiQL.Logo>
      <LineWrapping />
    </GraphiQL>
  );
}

/** Long comments and values go on in the next line instead of out of sight. */
function LineWrapping() {
  const editors = useGraphiQL((state) => [state.queryEditor, state.variableEditor, state.responseEditor]);
  useEffect(() => {
    for (const editor of editors) editor?.updateOptions({ wordWrap: 'on' });
  }, [editors]);
  return null;
}

document.title = `${page.portal.name} – GraphiQL`;
document.documentElement.lang = page.portal.locale;
createRoot(document.getElementById('root')!).render(<Portal />);
void checkSession();
