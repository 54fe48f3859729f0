// PostGraphile as its documentation has it for production: its Amber preset on Node's own HTTP server, no GraphiQL, no
// watching, no explaining, statements prepared, lists as plain lists. Started by postgraphile.py, which says where.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import pg from "pg";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { jsonPgSmartTags } from "postgraphile/utils";

const given = JSON.parse(process.env.BENCH_PEER);
const pool = new pg.Pool({
  host: given.sockets,
  user: given.role,
  database: given.database,
  max: given.connections,
  options: "-c jit=off -c default_transaction_read_only=on",
});

// A line keeps its product's id without a foreign key; PostGraphile is told where it leads.
const smartTags = jsonPgSmartTags({
  version: 1,
  config: {
    class: {
      order_lines: {
        tags: { foreignKey: "(tenant_id, product_id) references products (tenant_id, id)|@fieldName product" },
      },
    },
  },
});

// Whose rows a request sees. With sessions they are looked up for every request, by one prepared statement; without,
// they are simply known, as if a gateway had found them out.
const known = { "app.tenant_id": given.tenant, "app.price_list_id": given.priceList, "app.currency": given.currency };
const lookUp = {
  name: "session",
  text: "select tenant_id, price_list_id, currency from bench.session_of($1, $2)",
};

async function lookedUp(context) {
  const token = context.node.req.headers.authorization.replace(/^Bearer /, "");
  const hash = createHash("sha256").update(token).digest();
  const { rows } = await pool.query({ ...lookUp, values: [given.tenant, hash] });
  if (rows.length !== 1) throw new Error("nobody is signed in");
  const [{ tenant_id, price_list_id, currency }] = rows;
  return { "app.tenant_id": tenant_id, "app.price_list_id": price_list_id, "app.currency": currency };
}

const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  plugins: [smartTags],
  // Indexes begin with the tenant here, so that PostGraphile would not believe that others of their columns serve.
  disablePlugins: ["PgIndexBehaviorsPlugin"],
  pgServices: [makePgService({ pool, schemas: ["public"], pubsub: false })],
  schema: { defaultBehavior: "list -connection" },
  grafast: {
    explain: false,
    context: given.sessions
      ? async (context) => ({ pgSettings: await lookedUp(context) })
      : () => ({ pgSettings: known }),
  },
  grafserv: { graphiql: false, graphqlPath: "/graphql", watch: false },
});

const server = createServer();
await instance.createServ(grafserv).addTo(server);
server.listen(given.port, "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
